"""The proxy's CA, and the places where programs and systems look for CAs that they trust."""
