"""Readers of what names URLs to fetch: lists of URLs, sitemaps and HAR files; what they share with lock files."""
