"""The facts that a report is about, collected from the time series, the running proxies and the store."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from addon.cli.collected_stats import proxies_of, store_contents
from addon.cli.report_page.stored_findings import StoredFindings, stored_findings
from addon.cli.terminal import print_note
from addon.config.settings import Settings
from addon.runtime.control_client import ControlError, number_in, numbers_in, running_proxies, table_in, tables_in
from addon.runtime.host_counters import HostCounters
from addon.runtime.series.counts import COUNTS, NOTHING, Counts, by_name
from addon.runtime.series.recorder import RANGES
from addon.runtime.series.series_file import SeriesFile, step_for
from cache.stores.base import StoreError


@dataclass(frozen=True, slots=True)
class Period:
    """The time that a report is about, in seconds since the epoch, and the length of a step in seconds."""

    since: float
    until: float
    step: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a report says."""

    period: Period
    points: Sequence[tuple[int, Counts]]
    """The time series, oldest first."""
    running_since: float | None
    """The earliest start of a running proxy, in seconds since the epoch; None if none is running."""
    counters: Mapping[str, int]
    """The counters of the running proxies since their start."""
    hosts: Mapping[str, Mapping[str, int]]
    """Those of each host, the busiest first."""
    entries: int | None
    """The number of stored responses; None if it is not known."""
    size: int
    """The bytes that the store uses."""
    max_size: int
    """The bytes that it may use; 0 if that is not known."""
    findings: StoredFindings
    """Mistakes in the caching fields of stored responses."""

    @property
    def totals(self) -> dict[str, int]:
        """The sums of all points, by the names of the numbers."""
        counts = [counts for _, counts in self.points]
        return by_name(tuple(map(sum, zip(NOTHING, *counts, strict=True))))


def collected(settings: Settings, seconds: float) -> Facts:
    """Return the facts of the last seconds. Raises ValueError if the time is too long."""
    now = time.time()
    step = step_for(seconds).seconds
    points = _points(settings, seconds, now)
    proxies = list(proxies_of(settings))
    counters, hosts = Counter[str](), HostCounters()
    for proxy in proxies:
        counters.update(numbers_in(proxy["counters"]))
        hosts.add(proxy["hosts"])
    contents = _contents(settings, proxies)
    starts = [float(str(proxy["since"])) for proxy in proxies if proxy["since"] is not None]
    return Facts(
        period=Period(now - seconds, now, step),
        points=points,
        running_since=min(starts, default=None),
        counters=counters,
        hosts=hosts.described(),
        entries=number_in(contents["entries"]) if "entries" in contents else None,
        size=number_in(contents.get("size")),
        max_size=number_in(contents.get("max_size")),
        findings=_findings(settings),
    )


def _points(settings: Settings, seconds: float, now: float) -> list[tuple[int, Counts]]:
    """Return the points: from the file, to which running proxies first add what they have counted; or from them."""
    name = next(name for name, covered in RANGES.items() if seconds <= covered)
    told: dict[int, Counter[str]] = defaultdict(Counter)
    for client in running_proxies(settings.store.directory):
        try:
            points = client.ask("series", range=name)["points"]
        except ControlError as error:
            print_note(str(error))
            continue
        for point in tables_in(points):
            told[number_in(point["at"])].update({count: number_in(point[count]) for count in COUNTS})
    if settings.store.kind != "memory":
        return SeriesFile(settings.store.directory).points(seconds, now)
    oldest = now - seconds
    return [(at, tuple(told[at][count] for count in COUNTS)) for at in sorted(told) if at >= oldest]


def _contents(settings: Settings, proxies: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    contents = store_contents(settings, proxies)
    in_memory = next((found for proxy in proxies if (found := table_in(proxy["contents"]))), {})
    return contents if "entries" in contents else in_memory


def _findings(settings: Settings) -> StoredFindings:
    try:
        return stored_findings(settings)
    except StoreError:  # the report says that nothing is known about the store
        return StoredFindings(0, ())
