"""Which programs on this machine go through the cache, and how to help those that do not."""
