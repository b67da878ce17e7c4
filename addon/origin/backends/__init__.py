"""The sites of an edge, as the origin client sees them: which origin of a site gets a request.

- `options`: the settings of a site.
- `site`: a site, with what is known about each of its origins; `health`: whether an origin gets requests.
- `balance`: the choice among the origins that may get a request; `pools`: the pools of connections to them.
- `failover`: whether a request that failed at one origin is sent to another one.
- `checks`: the requests by which an edge finds out whether its origins are well.
"""
