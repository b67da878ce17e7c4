"""What a run came to: one line for people, and an exit code for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from addon.config.units import size_text
from cache.policy.reasons import NotStored, Refused

LIVE_WHILE_OFFLINE, STALE_USED, TOO_MANY_MISSES = 120, 121, 122
"""Exit codes of `run --ci` where the command itself succeeded."""

NOT_THERE = (Refused.OFFLINE, Refused.REPLAY)
"""Errors of the proxy's own for what is not stored where nobody is asked."""

UNANSWERED = (*NOT_THERE, Refused.FETCH_FAILED, Refused.STALE_FORBIDDEN, Refused.ONLY_IF_CACHED)
"""All of its errors that a copy would have prevented."""

_MISSES, _FAILURES, _NOT_KEPT = "misses.", "failures.", f"not_stored.{NotStored.STORE_FAILED}"

MOST_NAMED = 3
"""URLs that the line names."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a proxy has counted, and the URLs that it has missed, since it started."""

    counters: Mapping[str, int] = MappingProxyType({})
    missing: Sequence[str] = ()

    @classmethod
    def of(cls, counters: Mapping[str, object], missing: object) -> Look:
        """Return what the proxy answered; what makes no sense is left out."""
        numbers = {name: number for name, number in counters.items() if isinstance(number, int)}
        return cls(numbers, tuple(map(str, missing)) if isinstance(missing, list) else ())


@dataclass(frozen=True, slots=True)
class Summary:
    """What the proxy counted while the command ran, and the URLs that were missing."""

    counters: Mapping[str, int]
    missing: Sequence[str] = ()

    @classmethod
    def between(cls, before: Look, after: Look) -> Summary:
        """Return what happened between two looks at a proxy."""
        counters = {name: number - before.counters.get(name, 0) for name, number in after.counters.items()}
        return cls(counters, after.missing[len(before.missing) :])

    def _count(self, name: str) -> int:
        return self.counters.get(name, 0)

    @property
    def _fetched(self) -> int:
        answers = sum(number for name, number in self.counters.items() if name.startswith("answers."))
        return answers - self._count("answers.hit")

    @property
    def misses(self) -> Mapping[str, int]:
        """Requests that no copy answered, fetched (by the `fwd` of Cache-Status) or refused (by the reason)."""
        fetched = {name[len(_MISSES) :]: count for name, count in self.counters.items() if name.startswith(_MISSES)}
        refused = {str(reason): self._count(f"refused.{reason}") for reason in UNANSWERED}
        return {reason: count for reason, count in {**fetched, **refused}.items() if count}

    @property
    def _not_there(self) -> int:
        return sum(self._count(f"refused.{reason}") for reason in NOT_THERE)

    @property
    def is_empty(self) -> bool:
        """Tell whether no request came through the proxy at all."""
        return not self._count("requests") and not self._count("distrusted")

    @property
    def is_troubled(self) -> bool:
        """Tell whether something failed that is no part of caching."""
        return any(self._count(name) for name in ("distrusted", _NOT_KEPT)) or bool(self._failures)

    @property
    def _failures(self) -> Mapping[str, int]:
        """What failed on the way to origins or to the disk, by kind."""
        return {name[len(_FAILURES) :]: n for name, n in self.counters.items() if name.startswith(_FAILURES) and n}

    def line(self) -> str:
        """Return it for people."""
        requests, copies = self._count("requests"), self._count("hits")
        parts = [
            f"{requests} request{'' if requests == 1 else 's'}",
            f"{copies} from copies" + (f" ({stale} stale)" if (stale := self._count("stale")) else ""),
            f"{self._fetched} fetched",
            f"{size_text(self._count('octets.from_copy'))} saved",
            f"{self._count('milliseconds.saved') / 1000:.1f} s saved",
        ]
        return ", ".join([*parts, *(list(self._bad_news()) or ["nothing missing"])])

    def _bad_news(self) -> Iterator[str]:
        if failed := sum(n for name, n in self.counters.items() if name.startswith("refused.")) - self._not_there:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._failures.items())
            yield f"{failed} failed" + (f" ({kinds})" if kinds else "")
        if unkept := self._count(_NOT_KEPT):
            yield f"{unkept} not kept: the store failed"
        if distrusted := self._count("distrusted"):
            yield f"{distrusted} ended by programs that do not trust the proxy: secondhand doctor"
        if missing := self._not_there:
            yield f"{missing} MISSING{self._named()}"

    def _named(self) -> str:
        named = list(dict.fromkeys(self.missing))
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        return f": {' '.join(named[:MOST_NAMED])}{more}" if named else ""

    def breach(self, *, offline: bool, max_misses: int | None) -> tuple[int, str] | None:
        """Return the exit code and a sentence for the first rule of `--ci` that was broken, or None.

        A request that was refused offline counts as live: it is one that wanted the network. `max_misses` allows some.
        """
        allowed = max_misses or 0
        if offline and (self._count("origin.fetches") or self._not_there > allowed):
            return LIVE_WHILE_OFFLINE, f"the network was wanted while offline{self._named()}"
        if stale := self._count("stale"):
            return STALE_USED, f"{stale} stale {'copy was' if stale == 1 else 'copies were'} used"
        missed = sum(self.misses.values())
        if max_misses is not None and missed > max_misses:
            kinds = ", ".join(f"{count} {reason}" for reason, count in self.misses.items())
            return TOO_MANY_MISSES, f"{missed} {'miss' if missed == 1 else 'misses'}, {max_misses} allowed: {kinds}"
        return None
