"""No-Vary-Search: differences between two queries that do not matter (draft-ietf-httpbis-no-vary-search §4 to §6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from cache.http.structured_fields import dictionary, strings_of


@dataclass(frozen=True, slots=True)
class SearchVariance:
    """A URL search variance: the parts of a query that matter."""

    no_vary_params: frozenset[str] | None = frozenset()
    """Parameters that do not matter; None means all except `vary_params`."""
    vary_params: frozenset[str] = frozenset()
    vary_on_key_order: bool = True
    """The order of parameters with different names matters."""


DEFAULT_VARIANCE = SearchVariance()
"""Every difference matters: the variance of a response without a valid No-Vary-Search."""


@lru_cache(maxsize=256)
def search_variance(value: str | None) -> SearchVariance:
    """Return the variance that a No-Vary-Search value gives; `DEFAULT_VARIANCE` if it is None or malformed."""
    members = dictionary(value or "") or {}
    key_order, params, exempt = (_bare_item(members.get(name)) for name in ("key-order", "params", "except"))
    vary_params = frozenset(strings_of(exempt) or ())
    # §4.1: one value of a wrong type makes the whole field invalid
    if key_order is not None and not isinstance(key_order, bool):
        return DEFAULT_VARIANCE
    if exempt is not None and (params is not True or strings_of(exempt) is None):
        return DEFAULT_VARIANCE
    if params is True:
        return SearchVariance(None, vary_params, key_order is not True)
    if params is None or params is False:
        return SearchVariance(vary_on_key_order=key_order is not True)
    names = strings_of(params)
    if names is None:
        return DEFAULT_VARIANCE
    return SearchVariance(frozenset(names), vary_on_key_order=key_order is not True)


def _bare_item(member: object) -> object:
    return member[0] if isinstance(member, tuple) else None


def significant_query(target: str, variance: SearchVariance) -> str:
    """Return the part of a request target's query that matters; equal for equivalent targets (§6)."""
    _, mark, query = target.partition("?")
    if variance == DEFAULT_VARIANCE:
        return mark + query
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True, errors="replace") if _matters(pair[0], variance)]
    if not variance.vary_on_key_order:
        pairs.sort(key=lambda pair: pair[0])  # a stable sort: parameters with the same name keep their order
    return urlencode(pairs)


def _matters(name: str, variance: SearchVariance) -> bool:
    return name in variance.vary_params if variance.no_vary_params is None else name not in variance.no_vary_params
