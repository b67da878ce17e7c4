"""What becomes of a CONNECT tunnel: TLS that is terminated here, or bytes that pass through."""
