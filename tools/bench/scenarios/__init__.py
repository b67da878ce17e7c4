"""Scenarios: measurements that do not fit a table of rates. Each module has `measure(testbed)`."""
