"""Offline use: modes, the response to a miss, the miss queue, and prefetching."""
