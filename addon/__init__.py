"""What connects the cache to mitmproxy, sockets, processes and people."""
