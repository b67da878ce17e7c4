"""HTTP caching: pure rules above the stores line, storage below it."""
