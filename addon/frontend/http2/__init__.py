"""HTTP/2 (RFC 9113): the same requests and responses as over HTTP/1, many at a time on one connection."""
