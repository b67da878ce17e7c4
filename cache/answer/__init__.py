"""The response to the client: its status, its fields, and where its content comes from."""
