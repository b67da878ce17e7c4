"""Recordings as files: HAR, WARC and folders."""
