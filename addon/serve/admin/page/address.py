"""The path of the page on the admin listener."""

FOLDER = "/page/"
"""Its files are below it."""
