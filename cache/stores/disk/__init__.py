"""The store on disk: an SQLite database, through diskcache, and files for large bodies."""
