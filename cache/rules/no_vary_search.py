"""No-Vary-Search: which differences between two queries change nothing (draft-ietf-httpbis-no-vary-search §4 to §6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from cache.http.structured_fields import dictionary, strings_of


@dataclass(frozen=True, slots=True)
class SearchVariance:
    """What of a query matters."""

    ignored: frozenset[str] | None = frozenset()
    """Parameters that do not matter; None means all but `counted`."""
    counted: frozenset[str] = frozenset()
    order: bool = True
    """The order of the names matters."""


EVERYTHING = SearchVariance()
"""Every difference matters: what holds where a response says nothing, or nothing that can be read."""


@lru_cache(maxsize=256)
def search_variance(value: str | None) -> SearchVariance:
    """Return what a No-Vary-Search field says; `EVERYTHING` where it is absent or malformed."""
    members = dictionary(value or "") or {}
    order, params, exempt = (_bare(members.get(name)) for name in ("key-order", "params", "except"))
    counted = frozenset(strings_of(exempt) or ())
    # §4.1: whatever is of another type than it must be voids the whole field
    if order is not None and not isinstance(order, bool):
        return EVERYTHING
    if exempt is not None and (params is not True or strings_of(exempt) is None):
        return EVERYTHING
    if params is True:
        return SearchVariance(None, counted, order is not True)
    if params is None or params is False:
        return SearchVariance(order=order is not True)
    names = strings_of(params)
    return EVERYTHING if names is None else SearchVariance(frozenset(names), order=order is not True)


def _bare(member: object) -> object:
    return member[0] if isinstance(member, tuple) else None


def search(target: str, variance: SearchVariance) -> str:
    """Return what matters of a request target's query; equal for targets that mean the same (§6)."""
    _, mark, query = target.partition("?")
    if variance == EVERYTHING:
        return mark + query
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True, errors="replace") if _counts(pair[0], variance)]
    if not variance.order:
        pairs.sort(key=lambda pair: pair[0])  # equal names stay in their order
    return urlencode(pairs)


def _counts(name: str, variance: SearchVariance) -> bool:
    return name in variance.counted if variance.ignored is None else name not in variance.ignored
