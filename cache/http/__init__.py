"""HTTP messages, and parsers for the syntax of their fields."""
