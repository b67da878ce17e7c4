"""The policy of the operator, and the names of all reasons."""
