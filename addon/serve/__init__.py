"""`secondhand serve`: the running proxy, from its start to its end."""
