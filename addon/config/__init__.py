"""Settings: read from a TOML file, the environment and the command line, checked, and turned into a cache policy."""
