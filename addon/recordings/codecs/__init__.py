"""File formats for recordings: HAR, WARC and folders."""
