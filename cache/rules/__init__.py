"""The rules of HTTP caching, one file per rule."""
