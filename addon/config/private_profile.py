"""The profile of `secondhand run`."""

PROFILE = "dev"
"""The profile of `secondhand run` if no other one is named. It is here by itself, since settings are slow to import."""
