"""Support for other programs: run them behind the proxy, check them, and make them trust its CA."""
