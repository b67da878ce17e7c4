"""One command behind a private proxy: its environment, its namespace, and what it came to."""
