"""The pipeline that answers one request: store lookup, fetch, fill and reply."""
