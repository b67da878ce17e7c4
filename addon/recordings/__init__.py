"""Recordings: stores that keep every response of the origins, and replay them."""
