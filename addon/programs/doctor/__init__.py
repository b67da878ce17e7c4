"""Checks which installed programs work through the proxy, and tells how to configure the others."""
