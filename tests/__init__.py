"""All tests. The folders addon, cache and tools mirror the code; the other folders are named for what they test."""
