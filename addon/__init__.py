"""The proxy around the cache: network, mitmproxy, settings, recordings and the command line."""

import sys

if sys.platform == "win32":
    # before any import that does not exist there, such as fcntl
    raise SystemExit("secondhand does not run on Windows. Install it in the Windows Subsystem for Linux (WSL) instead.")
