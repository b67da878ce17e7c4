"""The shared store: stored responses on Redis or Valkey, for several nodes, with a part of them in each node's memory.

From the outside to the inside: `store` puts memory in front of `shared_rows`, which changes rows through an `Engine`.
The engine keeps a `Server` for each Redis process that `topology` finds, and each server keeps one `connection`.
"""
