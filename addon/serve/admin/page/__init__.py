"""The page of the admin listener, for people with a browser."""
