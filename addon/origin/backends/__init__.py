"""The origins behind an edge: which one gets a request."""
