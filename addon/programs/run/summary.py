"""The result of a run: one line of text for people, and an exit code for CI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from addon.config.units import size_text
from cache.policy.reasons import NotStored, Refused

NETWORK_NEEDED_OFFLINE, STALE_USED, TOO_MANY_MISSES = 120, 121, 122
"""Exit codes of `run --ci` if the command itself succeeded."""

NOT_STORED = (Refused.OFFLINE, Refused.REPLAY)
"""The proxy's own errors for a request that finds no stored response while no origin may be asked."""

AVOIDABLE_ERRORS = (*NOT_STORED, Refused.FETCH_FAILED, Refused.STALE_FORBIDDEN, Refused.ONLY_IF_CACHED)
"""The proxy's own errors that a usable stored response would have prevented."""

_MISSES, _FAILURES, _STORE_FAILED = "misses.", "failures.", f"not_stored.{NotStored.STORE_FAILED}"

MAX_NAMED_URLS = 3
"""Missing URLs that the line names."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counters of a proxy, and the URLs that were missing, since it started."""

    counters: Mapping[str, int] = MappingProxyType({})
    missing: Sequence[str] = ()

    @classmethod
    def of(cls, counters: Mapping[str, object], missing: object) -> Snapshot:
        """Return a snapshot from the proxy's replies; values of the wrong type are left out."""
        numbers = {name: number for name, number in counters.items() if isinstance(number, int)}
        return cls(numbers, tuple(map(str, missing)) if isinstance(missing, list) else ())


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of the proxy while the command ran, and the URLs that were missing."""

    counters: Mapping[str, int]
    missing: Sequence[str] = ()

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot) -> Summary:
        """Return the difference of two snapshots of a proxy."""
        counters = {name: number - before.counters.get(name, 0) for name, number in after.counters.items()}
        return cls(counters, after.missing[len(before.missing) :])

    def _count(self, name: str) -> int:
        return self.counters.get(name, 0)

    @property
    def _fetched(self) -> int:
        replies = sum(number for name, number in self.counters.items() if name.startswith("answers."))
        return replies - self._count("answers.hit")

    @property
    def misses(self) -> Mapping[str, int]:
        """Misses by kind: the `fwd` of Cache-Status if the response was fetched, else the reason of the error."""
        fetched = {name[len(_MISSES) :]: count for name, count in self.counters.items() if name.startswith(_MISSES)}
        refused = {str(reason): self._count(f"refused.{reason}") for reason in AVOIDABLE_ERRORS}
        return {reason: count for reason, count in {**fetched, **refused}.items() if count}

    @property
    def _not_stored(self) -> int:
        return sum(self._count(f"refused.{reason}") for reason in NOT_STORED)

    @property
    def is_empty(self) -> bool:
        """Return whether no request came through the proxy."""
        return not self._count("requests") and not self._count("distrusted")

    @property
    def has_failures(self) -> bool:
        """Return whether something failed: a client's TLS handshake, the store, or a connection to an origin."""
        return any(self._count(name) for name in ("distrusted", _STORE_FAILED)) or bool(self._failures)

    @property
    def _failures(self) -> Mapping[str, int]:
        """Failures of origin connections and of the disk, by kind."""
        return {name[len(_FAILURES) :]: n for name, n in self.counters.items() if name.startswith(_FAILURES) and n}

    def line(self) -> str:
        """Return the summary as one line for people."""
        requests, copies = self._count("requests"), self._count("hits")
        parts = [
            f"{requests} request{'' if requests == 1 else 's'}",
            f"{copies} from copies" + (f" ({stale} stale)" if (stale := self._count("stale")) else ""),
            f"{self._fetched} fetched",
            f"{size_text(self._count('octets.from_copy'))} saved",
            f"{self._count('milliseconds.saved') / 1000:.1f} s saved",
        ]
        return ", ".join([*parts, *(list(self._problems()) or ["nothing missing"])])

    def _problems(self) -> Iterator[str]:
        if failed := sum(n for name, n in self.counters.items() if name.startswith("refused.")) - self._not_stored:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._failures.items())
            yield f"{failed} failed" + (f" ({kinds})" if kinds else "")
        if unsaved := self._count(_STORE_FAILED):
            yield f"{unsaved} not stored: the store failed"
        if distrusted := self._count("distrusted"):
            yield f"{distrusted} ended by programs that do not trust the proxy: secondhand doctor"
        if missing := self._not_stored:
            yield f"{missing} MISSING{self._missing_urls()}"

    def _missing_urls(self) -> str:
        urls = list(dict.fromkeys(self.missing))
        more = f" and {len(urls) - MAX_NAMED_URLS} more" if len(urls) > MAX_NAMED_URLS else ""
        return f": {' '.join(urls[:MAX_NAMED_URLS])}{more}" if urls else ""

    def ci_violation(self, *, offline: bool, max_misses: int | None) -> tuple[int, str] | None:
        """Return exit code and message of the first rule of `--ci` that the run violated, or None.

        A request that was refused offline needed the network. `max_misses` allows that many of them.
        """
        allowed = max_misses or 0
        if offline and (self._count("origin.fetches") or self._not_stored > allowed):
            return NETWORK_NEEDED_OFFLINE, f"the network was wanted while offline{self._missing_urls()}"
        if stale := self._count("stale"):
            return STALE_USED, f"{stale} stale {'copy was' if stale == 1 else 'copies were'} used"
        misses = sum(self.misses.values())
        if max_misses is not None and misses > max_misses:
            kinds = ", ".join(f"{count} {reason}" for reason, count in self.misses.items())
            return TOO_MANY_MISSES, f"{misses} {'miss' if misses == 1 else 'misses'}, {max_misses} allowed: {kinds}"
        return None
