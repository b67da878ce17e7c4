"""The result of a run: one line of text for people, and an exit code for CI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from addon.config.units import size_text
from addon.runtime.control_client import numbers_in
from addon.runtime.counters import members_of
from addon.runtime.exit_codes import NETWORK_NEEDED_OFFLINE, STALE_USED, TOO_MANY_MISSES
from cache.policy.reasons import NotStored, Refused

NOT_STORED = (Refused.OFFLINE, Refused.REPLAY)
"""The proxy's own errors for a request that finds no stored response while no origin may be asked."""

AVOIDABLE_ERRORS = (*NOT_STORED, Refused.FETCH_FAILED, Refused.STALE_FORBIDDEN, Refused.ONLY_IF_CACHED)
"""The proxy's own errors that a usable stored response would have prevented."""

_STORE_FAILED = f"not_stored.{NotStored.STORE_FAILED}"
_TOO_LARGE = f"not_stored.{NotStored.TOO_LARGE}"

_LOCALHOST_URL = re.compile(r"https?://([^/@\s]*@)?(localhost|127\.0\.0\.1|\[::1\])(?![\w.-])", re.IGNORECASE)

MAX_NAMED = 3
"""URLs, or hosts, of one kind that a line names."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counters of a proxy, and what it has noted, since it started."""

    counters: Mapping[str, int] = MappingProxyType({})
    missing: Sequence[str] = ()
    """The URLs that were missing."""
    distrusted: Mapping[str, int] = MappingProxyType({})
    """The number of connections that ended because a client did not accept the proxy's certificate, by host."""
    not_reached: Mapping[str, int] = MappingProxyType({})
    """The number of connections that failed, by origin."""

    too_large: Sequence[str] = ()
    """The URLs whose responses were too large to store, each with its size."""

    @classmethod
    def of(
        cls,
        counters: Mapping[str, object],
        missing: object,
        distrusted: object = None,
        not_reached: object = None,
        too_large: object = None,
    ) -> Snapshot:
        """Return a snapshot from the proxy's replies; values of the wrong type are left out."""
        return cls(
            numbers_in(counters), _texts(missing), numbers_in(distrusted), numbers_in(not_reached), _texts(too_large)
        )


def _increased(before: Mapping[str, int], after: Mapping[str, int]) -> Sequence[str]:
    return [name for name, number in after.items() if number > before.get(name, 0)]


def _texts(reply: object) -> Sequence[str]:
    return tuple(map(str, reply)) if isinstance(reply, list) else ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of the proxy while the command ran, and what it has noted."""

    counters: Mapping[str, int]
    missing: Sequence[str] = ()
    distrusted: Sequence[str] = ()
    """The hosts for which a program did not accept the proxy's certificate."""
    not_reached: Sequence[str] = ()
    """The origins to which a connection failed."""
    direct: Sequence[str] = ()
    """The hosts and ports of connections that went around the proxy, as far as that is known."""
    too_large: Sequence[str] = ()
    """The URLs whose responses were too large to store, each with its size."""

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot, direct: Sequence[str] = ()) -> Summary:
        """Return the difference of two snapshots of a proxy, with the connections that went around it."""
        counters = {name: number - before.counters.get(name, 0) for name, number in after.counters.items()}
        return cls(
            counters,
            after.missing[len(before.missing) :],
            distrusted=_increased(before.distrusted, after.distrusted),
            not_reached=_increased(before.not_reached, after.not_reached),
            direct=direct,
            too_large=[each for each in after.too_large if each not in before.too_large],
        )

    def _count(self, name: str) -> int:
        return self.counters.get(name, 0)

    @property
    def _fetched(self) -> int:
        return sum(members_of(self.counters, "answers").values()) - self._count("answers.hit")

    @property
    def misses(self) -> Mapping[str, int]:
        """Misses by kind: the `fwd` of Cache-Status if the response was fetched, else the reason of the error."""
        refused = {str(reason): self._count(f"refused.{reason}") for reason in AVOIDABLE_ERRORS}
        return {reason: count for reason, count in {**members_of(self.counters, "misses"), **refused}.items() if count}

    @property
    def _not_stored(self) -> int:
        return sum(self._count(f"refused.{reason}") for reason in NOT_STORED)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is known of the program: it sent the proxy nothing, nor anything around it."""
        names = "requests", "distrusted", "tls_failures", "passed_through"
        return not (any(map(self._count, names)) or self.distrusted or self.direct or self._refused)

    @property
    def has_failures(self) -> bool:
        """Return whether something failed: a client's TLS handshake, the store, or a connection to an origin."""
        counted = any(self._count(name) for name in ("distrusted", "tls_failures", _STORE_FAILED))
        return counted or bool(self.distrusted or self._failures)

    @property
    def _refused(self) -> int:
        return sum(members_of(self.counters, "refused").values())

    @property
    def _failures(self) -> Mapping[str, int]:
        """Failures of origin connections and of the disk, by kind."""
        return members_of(self.counters, "failures")

    def line(self) -> str:
        """Return the summary as one line for people."""
        requests, copies = self._count("requests"), self._count("hits")
        parts = [
            f"{requests} {plural('request', requests)}",
            f"{copies} from copies" + (f" ({stale} stale)" if (stale := self._count("stale")) else ""),
            f"{self._fetched} fetched",
            f"{size_text(self._count('octets.from_copy'))} saved",
            f"{self._count('milliseconds.saved') / 1000:.1f} s saved",
        ]
        return ", ".join([*parts, *(list(self._problems()) or ["nothing missing"])])

    def _problems(self) -> Iterator[str]:
        if failed := self._refused - self._not_stored:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._failures.items())
            origins = f"; not reached: {named(self.not_reached)}" if self.not_reached else ""
            yield f"{failed} failed" + (f" ({kinds}{origins})" if kinds else "")
        if unsaved := self._count(_STORE_FAILED):
            yield f"{unsaved} not stored: the store failed"
        if too_large := self._count(_TOO_LARGE):
            yield f"{too_large} too large to keep" + (f": {named(self.too_large)}" if self.too_large else "")
        if passed := self._count("passed_through"):
            yield f"{passed} {plural('tunnel', passed)} passed through unread"
        if self.distrusted:
            yield (
                f"the certificate for {named(self.distrusted)} was not trusted by a program, or it has pinned another"
                " (see secondhand doctor, and the setting tls.leave_alone)"
            )
        if count := len(self.direct):
            connections = plural("connection", count)
            yield f"{count} {connections} attempted around the proxy (--strict lets none through): {named(self.direct)}"
        if failures := self._count("tls_failures"):
            yield f"{failures} failed in TLS between program and proxy"
        if missing := self._not_stored:
            yield f"{missing} MISSING{self._missing_urls()}"

    def _missing_urls(self) -> str:
        return f": {named(self.missing)}" if self.missing else ""

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


def named(texts: Iterable[str], separator: str = " ") -> str:
    """Return the first MAX_NAMED of these texts, each once, and the number of the others."""
    each = list(dict.fromkeys(texts))
    return separator.join(each[:MAX_NAMED]) + (f" and {len(each) - MAX_NAMED} more" if len(each) > MAX_NAMED else "")


def plural(noun: str, number: int) -> str:
    """Return a regular noun in the form that goes with a number."""
    return noun if number == 1 else f"{noun}s"


def without_requests(command: Sequence[str], *, localhost: bool) -> str:
    """Return the line for a command of which the proxy has seen nothing.

    `localhost`: requests for this machine go through the proxy, too, as `--proxy-localhost` says.
    """
    line = f"no request of {command[0]} came through the proxy: "
    if not localhost and any(_LOCALHOST_URL.search(argument) for argument in command[1:]):
        return f"{line}requests for this machine go around it, except with --proxy-localhost"
    reasons = "it needed none, or ignores the proxy variables"
    return line + (reasons if localhost else f"{reasons}, or sent them to this machine (see --proxy-localhost)")
