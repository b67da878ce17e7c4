"""The compared servers: a module with a `Peer` and a configuration for each. Add its name in comparisons.py, too."""
