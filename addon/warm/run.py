"""Fetches everything that a list of sources names into the store, each URL once, and reports the results."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from addon.offline.wanted import Missing, NotThereError, SourceError, Wanted
from addon.warm.transport import WarmFetcher

if TYPE_CHECKING:
    from addon.warm.sources import Source  # slow to import: it has the readers of HAR files and sitemaps

ABSENT = (404, 410)
"""The statuses with which an origin says that there is no such resource."""


@dataclass(slots=True)
class WarmReport:
    """The results of one call of `warm`."""

    fetched: int = 0
    already_fresh: int = 0
    """URLs whose stored responses needed no fetch."""
    size: int = 0
    """The size in bytes of the fetched responses."""
    failed: list[Missing] = field(default_factory=list)
    """The URLs that could not be stored, with the reason."""
    unreadable: bool = False
    """A source, such as a lock file, is invalid or cannot be read."""


class Progress:
    """Receives progress reports; this class ignores them."""

    def __enter__(self) -> Self:
        """Start showing progress."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop showing progress."""

    def found(self, count: int) -> None:
        """Report that `count` more URLs are to be fetched."""

    def done(self, name: str, outcome: str, size: int) -> None:
        """Report the outcome of one URL: `fetched`, `fresh`, or why it failed; `size` is in bytes."""


async def warm(sources: Sequence[Source], fetcher: WarmFetcher, progress: Progress) -> WarmReport:
    """Fetch everything that the sources name. A source that cannot be read counts as failed."""
    report = WarmReport()
    seen: set[Wanted] = set()

    async def fetch_one(wanted: Wanted) -> None:
        fetched = await fetcher.fetch(wanted)
        if fetched.problem and not (wanted.may_be_absent and fetched.status in ABSENT):
            fail(Missing(wanted.uri, fetched.problem))
            return
        report.already_fresh += fetched.was_there
        report.fetched += not fetched.was_there
        report.size += 0 if fetched.was_there else fetched.octets
        progress.done(wanted.uri, "fresh" if fetched.was_there else "fetched", fetched.octets)

    def fail(missing: Missing) -> None:
        report.failed.append(missing)
        progress.done(missing.name, missing.why, 0)

    async def fetch_all(wanted: Iterator[Wanted]) -> None:
        async def work() -> None:
            for each in wanted:
                await fetch_one(each)

        # a task for each URL would keep a proxy that looks for them from everything else meanwhile
        await asyncio.gather(*(work() for _ in range(fetcher.jobs)))

    async def fetch_source(source: Source) -> None:
        try:
            found = await source(fetcher.read)
        except SourceError as error:
            progress.found(1)
            report.unreadable |= not isinstance(error, NotThereError)
            fail(error.as_missing())
            return
        new = [each for each in dict.fromkeys(found) if isinstance(each, Missing) or each not in seen]
        seen.update(each for each in new if isinstance(each, Wanted))
        progress.found(len(new))
        for each in new:
            if isinstance(each, Missing):
                fail(each)
        await fetch_all(iter([each for each in new if isinstance(each, Wanted)]))

    await asyncio.gather(*map(fetch_source, sources))
    return report
