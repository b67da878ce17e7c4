"""Leases: single-flight among several processes on one store. One worker at a time holds the lease of a key."""
