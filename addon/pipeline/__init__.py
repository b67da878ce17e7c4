"""What answers one request: store lookup, fetch, fill and reply."""
