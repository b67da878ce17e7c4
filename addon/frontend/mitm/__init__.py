"""The cache as a mitmproxy addon. Its folder `serve/` is the mitmproxy of `secondhand serve`."""
