"""The tiered store: memory in front of a disk store, which gets changes in batches."""
