"""Where programs look up whom to trust, and putting our certificate there."""
