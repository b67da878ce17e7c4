"""The clients' side: listeners, the protocols that clients speak, and mitmproxy's hooks."""
