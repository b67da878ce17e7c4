"""The CA of this proxy, and where programs and systems look for CAs to trust."""
