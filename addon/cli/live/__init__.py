"""Live views of running proxies on a terminal: `secondhand top` and `secondhand hist`."""
