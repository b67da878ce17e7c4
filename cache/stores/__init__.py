"""Stores for responses: one protocol and its implementations in memory, on disk, and on disk with memory in front."""
