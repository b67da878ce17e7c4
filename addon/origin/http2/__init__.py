"""HTTP/2 on the wire (RFC 9113): frames, windows and faults, for connections to origins and to clients."""
