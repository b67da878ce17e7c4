"""The cache as a mitmproxy addon, and connections that are handed to mitmproxy."""
