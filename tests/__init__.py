"""The tests. `addon/`, `cache/` and `tools/` mirror the code; docs/architecture.md describes the other folders."""
