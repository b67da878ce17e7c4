"""HTTP messages and the syntax of their fields."""
