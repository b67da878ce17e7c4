"""Readers of what names URLs to fetch: lists of URLs, sitemaps and HAR files."""
