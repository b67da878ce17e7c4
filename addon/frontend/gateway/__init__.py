"""The parts of an edge that handle a request before the cache: sites, rules, forwarded fields, TLS."""
