"""The names of the counters that a request and its response add to."""

from __future__ import annotations

from addon.runtime.host_counters import HostCounter, host_counter
from cache.answer.cache_status import Handling
from cache.policy.reasons import NotStored


def request_counters(scheme: str) -> tuple[str, ...]:
    """Return the names of the counters that a request for a URL with this scheme adds to."""
    return ("requests", "requests.http" if scheme == "http" else "requests.https")


def response_counters(
    scheme: str, handling: Handling | None, exemption: str | None = None, not_stored: NotStored | None = None
) -> tuple[str, ...]:
    """Return the names of the counters that a response adds to.

    Args:
        scheme: The scheme of the request's URL.
        handling: The cache's part in the response; None for an error of this proxy's own.
        exemption: The rule by which a copy kept the status 200.
        not_stored: The reason why the response is relayed and not stored.
    """
    names = [f"not_stored.{not_stored}"] if not_stored else []
    if handling is None:
        return tuple(names)
    names.append(f"answers.{'hit' if handling.hit else handling.fwd}")
    if handling.is_miss:
        names.append(f"misses.{handling.fwd}")
    if handling.is_validated:
        names.append("validated")
    is_stale = (handling.ttl or 0) < 0
    if is_stale:
        names.append("stale")
    if handling.hit:
        names += ["hits", f"hits.{scheme}"]
        if is_stale:
            names.append("hits.stale")
    if exemption:
        names.append(f"exempted.{exemption}")
    return tuple(names)


def host_counters(host: str, handling: Handling | None, not_stored: NotStored | None = None) -> tuple[HostCounter, ...]:
    """Return the names of the counters of a host that a response adds to.

    `host` has its port, unless that is the default one; `handling` and `not_stored` are as above.
    """
    names = [host_counter(host, "requests")]
    if not_stored:
        names.append(host_counter(host, f"not_stored.{not_stored}"))
    if handling is not None and handling.hit:
        names.append(host_counter(host, "hits"))
    if handling is not None and (handling.ttl or 0) < 0:
        names.append(host_counter(host, "stale"))
    return tuple(names)


def from_copy_counters(host: str) -> tuple[str, HostCounter]:
    """Return the names of the counters to which the bytes of a response from a copy are added."""
    return "octets.from_copy", host_counter(host, "octets.from_copy")


def from_origin_counters(host: str) -> tuple[str, HostCounter]:
    """Return the names of the counters to which the bytes of an origin's response are added."""
    return "octets.from_origin", host_counter(host, "octets.from_origin")
