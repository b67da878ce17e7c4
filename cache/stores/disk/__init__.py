"""The store on disk: SQLite by way of diskcache, and files for large bodies."""
