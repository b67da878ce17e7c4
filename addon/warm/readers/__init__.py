"""Readers of files that name URLs to fetch: lock files, sitemaps, HAR files and lists."""
