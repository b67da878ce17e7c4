"""Memory in front of a disk store, and writes in groups behind it."""
