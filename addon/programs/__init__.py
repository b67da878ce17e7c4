"""Other people's programs: running them behind the cache, checking them, and making them trust the CA."""
