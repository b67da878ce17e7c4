"""Filling the store ahead of time."""
