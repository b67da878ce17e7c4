"""The response that a client is shown."""
