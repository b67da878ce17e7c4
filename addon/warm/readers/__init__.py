"""Files that name URLs to fetch: lock files, sitemaps, HAR files, lists."""
