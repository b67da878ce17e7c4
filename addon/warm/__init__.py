"""Filling the store before it is needed: a file a kind of source, and the fetching itself."""
