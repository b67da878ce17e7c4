"""Recordings: stores of their own that nothing is evicted from, made, replayed, exchanged, compared and scrubbed."""
