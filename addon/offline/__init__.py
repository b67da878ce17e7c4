"""Working without a network: modes, the queue of misses, and the response to a miss."""
