"""HTTP/1 clients: one connection, its requests in order, its responses in order."""
