"""The numbers of running proxies at one moment, and what has changed since an earlier one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from addon.runtime.control_client import ControlClient, ControlError, numbers_in, tables_in
from addon.runtime.host_counters import HostCounters
from addon.runtime.metrics.histogram import BOUNDS
from addon.runtime.metrics.samples import Samples
from addon.runtime.series.counts import NOTHING, by_name, copies_in, counts_of, increase, responses_in

MAX_EXCHANGES = 200
"""Exchanges that are kept, the latest ones."""

WINDOW = 5
"""Looks that a rate goes back: a shorter time would make it jump."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers at one moment, since the start of the proxies."""

    at: float
    """Seconds on a clock that cannot be set."""
    counts: Mapping[str, int]
    """The numbers of the time series, by their names."""
    hosts: Mapping[str, Mapping[str, int]]
    durations: Mapping[str, Sequence[float]]
    """Histograms of the times of responses by outcome: the counts of the buckets."""
    mode: str
    since: float | None
    """The earliest start, in seconds since the epoch."""

    @property
    def responses(self) -> int:
        """The number of all responses."""
        return responses_in(self.counts)

    @property
    def from_copies(self) -> int:
        """The number of responses that came from copies without a request to the origin."""
        return copies_in(self.counts)


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two snapshots."""

    earlier: Snapshot
    later: Snapshot

    @property
    def seconds(self) -> float:
        """The time between the two; never 0."""
        return max(self.later.at - self.earlier.at, 0.001)

    @property
    def counts(self) -> Mapping[str, int]:
        """The numbers by which those of the time series have grown, by their names."""
        return {name: max(0, number - self.earlier.counts[name]) for name, number in self.later.counts.items()}

    @property
    def responses(self) -> int:
        """The number of responses between the two."""
        return responses_in(self.counts)

    @property
    def from_copies(self) -> int:
        """The number of them that came from copies."""
        return copies_in(self.counts)

    def durations_of(self, outcome: str) -> list[float]:
        """Return the counts of the buckets of an outcome, of the responses between the two."""
        none = [0.0] * (len(BOUNDS) + 1)
        before, after = (each.durations.get(outcome, none) for each in (self.earlier, self.later))
        return [max(0.0, new - old) for old, new in zip(before, after, strict=True)]

    def requests_of(self, host: str) -> int:
        """Return the number of requests for a host."""
        before = self.earlier.hosts.get(host, {}).get("requests", 0)
        return max(0, self.later.hosts[host]["requests"] - before)


class Watch:
    """Looks at running proxies again and again.

    Attributes:
        clients: The proxies.
        exchanges: The latest exchanges, the newest first.
        lists_exchanges: A proxy lists its exchanges; one without an admin listener does not.
    """

    def __init__(self, clients: Sequence[ControlClient]) -> None:
        self.clients = clients
        self.exchanges: deque[Mapping[str, object]] = deque(maxlen=MAX_EXCHANGES)
        self.lists_exchanges = False
        self._last: dict[ControlClient, object] = {}
        self._snapshots: deque[Snapshot] = deque(maxlen=WINDOW)

    def look(self) -> Change:
        """Return the numbers of now, and those of a few looks before. Raises ControlError if no proxy answers."""
        counters, hosts, samples = Counter[str](), HostCounters(), Samples()
        starts: list[float] = []
        modes: list[str] = []
        problem: ControlError | None = None
        for client in self.clients:
            try:
                counters.update(numbers_in(client.ask("stats")))
                summary = client.ask("summary")
                samples.add_described(client.ask("metrics"))
                modes.append(str(client.ask("mode")["mode"]))
            except ControlError as error:  # the others are still shown
                problem = error
                continue
            hosts.add(summary["hosts"])
            starts.append(float(str(summary["since"])))
            self._look_at_exchanges(client)
        if problem and not modes:
            raise problem
        durations = samples.of("request_duration_seconds")
        self._snapshots.append(
            Snapshot(
                at=time.monotonic(),
                counts=by_name(increase(NOTHING, counts_of(counters))),
                hosts=hosts.described(),
                durations={outcome: numbers[:-1] for (outcome,), numbers in durations.items()},
                mode=", ".join(dict.fromkeys(modes)),
                since=min(starts, default=None),
            )
        )
        return Change(self._snapshots[0], self._snapshots[-1])

    def _look_at_exchanges(self, client: ControlClient) -> None:
        arguments = {"after": self._last[client]} if client in self._last else {}
        try:
            reply = asyncio.run(client.ask_async("exchanges", **arguments))  # the reply may be long
        except ControlError:  # it has no admin listener, and keeps no exchanges
            return
        self.lists_exchanges = True
        self._last[client] = reply["last"]
        self.exchanges.extendleft(tables_in(reply["exchanges"]))
