"""Readers of lock files: for each format, the URLs that its package manager requests for an installation."""
