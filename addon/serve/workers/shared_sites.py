"""The state of an edge's origins, as several workers see it: each finds out by itself which origins are down."""

from __future__ import annotations

import math
from collections.abc import Sequence

from addon.runtime.control_client import tables_in

type Table = dict[str, object]


def merged_sites(replies: Sequence[object]) -> list[Table]:
    """Return one description of the sites of those that `Origins.described` returns in each worker.

    Requests, failures and requests under way are those of all workers together. An origin is down if it is for any of
    them.
    """
    merged: dict[str, Table] = {}
    for site in (site for reply in replies for site in tables_in(reply)):
        known = merged.setdefault(str(site["hosts"]), {"hosts": site["hosts"], "origins": []})
        known["origins"] = _merged_origins(tables_in(known["origins"]), tables_in(site["origins"]))
    return list(merged.values())


def _merged_origins(one: Sequence[Table], other: Sequence[Table]) -> list[Table]:
    merged = {str(origin["url"]): origin for origin in one}
    for origin in other:
        url = str(origin["url"])
        before = merged.get(url)
        merged[url] = origin if before is None else _merged(before, origin)
    return list(merged.values())


def _merged(one: Table, other: Table) -> Table:
    worse = one if one["state"] == "down" else other
    sums = {name: int(str(one[name])) + int(str(other[name])) for name in ("requests", "failures", "in_flight")}
    latest = min(one, other, key=_problem_age)
    return {**worse, **sums, **{name: latest[name] for name in ("last_problem", "last_problem_age")}}


def _problem_age(origin: Table) -> float:
    age = origin["last_problem_age"]
    return math.inf if age is None else float(str(age))
