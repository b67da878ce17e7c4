"""Fetches URLs into the store before they are needed: `secondhand warm`."""
