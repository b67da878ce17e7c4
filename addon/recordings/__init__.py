"""Recordings: stores that hold everything that origins sent, and replay it."""
