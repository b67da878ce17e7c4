"""What clients of an edge meet before the cache."""
