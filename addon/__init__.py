"""The proxy around the cache: network, mitmproxy, settings, recordings and the command line."""
