"""What the operator has decided, and the names of all reasons."""
