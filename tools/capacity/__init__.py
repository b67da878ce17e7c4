"""The capacity of one node and one engine of a shared store, and the plan for a region of many."""
