"""The tests. `addon/`, `cache/` and `tools/` mirror the code; the other folders are described in docs/architecture.md."""
