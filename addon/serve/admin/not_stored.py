"""The responses that were not stored since the start, by reason and host, with what would change it."""

from __future__ import annotations

from collections.abc import Mapping

from addon.serve.admin import results
from cache.policy.reason_texts import text_of
from cache.policy.reasons import NotStored
from cache.policy.storing_remedies import remedy_of

_FAMILY = "not_stored."


def not_stored_by_reason(
    counters: Mapping[str, int], hosts: Mapping[str, Mapping[str, int]]
) -> results.NotStoredByReason:
    """Return the reasons, the most frequent first.

    Args:
        counters: The counters of the proxy by name.
        hosts: Those of each host, by name.
    """
    counted = [(NotStored(name.removeprefix(_FAMILY)), number) for name, number in _of_family(counters).items()]
    counted.sort(key=lambda each: -each[1])
    return {"reasons": [_described(reason, number, hosts) for reason, number in counted]}


def _described(reason: NotStored, responses: int, hosts: Mapping[str, Mapping[str, int]]) -> results.NotStored:
    text = text_of(reason)
    by_host = {host: counters[_FAMILY + reason] for host, counters in hosts.items() if _FAMILY + reason in counters}
    return {
        "reason": str(reason),
        "sentence": text.sentence,
        "source": text.source,
        "remedy": remedy_of(reason),
        "responses": responses,
        "hosts": dict(sorted(by_host.items(), key=lambda each: -each[1])),
    }


def _of_family(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in counters.items() if name.startswith(_FAMILY) and number}
