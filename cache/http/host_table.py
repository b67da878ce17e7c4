"""Values by host name: for one host, for all hosts below a domain, or for any host."""

from __future__ import annotations

from collections.abc import Iterable

ANY_HOST = "*"
WILDCARD = "*."

MAX_NAME = 253
"""Characters of the longest name (RFC 1035 §2.3.4). A client may send a longer host, with thousands of labels."""


class HostTable[Value]:
    """Values under hosts like `example.org`, wildcards like `*.example.org`, and `*` for any host.

    An exact host wins, then the longest wildcard, then `*`. A wildcard is for hosts with any number of labels in its
    place, and not for the domain itself.
    """

    def __init__(self, rows: Iterable[tuple[str, Value]] = ()) -> None:
        """Take patterns in lower case, each with its value. Of equal patterns, the first counts."""
        self._exact: dict[str, Value] = {}
        self._below: dict[str, Value] = {}
        self._any: Value | None = None
        for pattern, value in rows:
            if pattern == ANY_HOST:
                self._any = value if self._any is None else self._any
            elif pattern.startswith(WILDCARD):
                self._below.setdefault(pattern.removeprefix(WILDCARD), value)
            else:
                self._exact.setdefault(pattern, value)

    def find(self, host: str) -> Value | None:
        """Return the value for a host as `normalised_host` returns it, or None if there is none."""
        found = self._exact.get(host)
        if found is not None:
            return found
        if self._below and len(host) <= MAX_NAME:
            domain = host
            while domain:
                domain = domain.partition(".")[2]
                found = self._below.get(domain)
                if found is not None:
                    return found
        return self._any
