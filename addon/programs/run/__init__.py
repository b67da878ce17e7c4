"""Runs one command behind a private proxy: `secondhand run`."""
