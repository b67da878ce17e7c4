"""One round of warming: everything that sources name, each URL once, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from addon.offline.wanted import Missing, SourceError, Wanted
from addon.warm.readers.sources import Source
from addon.warm.transport import Fetching


@dataclass(slots=True)
class Report:
    """What a round has come to."""

    fetched: int = 0
    there: int = 0
    """Stored and fresh before."""
    octets: int = 0
    """Of the responses fetched."""
    failed: list[Missing] = field(default_factory=list)
    """What is not in the store, and why."""


class Progress:
    """Told what goes on; does nothing with it."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def found(self, count: int) -> None:
        """Hear of URLs that are to be fetched."""

    def done(self, name: str, how: str, octets: int) -> None:
        """Hear what came of one: `fetched`, `there`, or why it failed."""


async def warm(sources: Sequence[Source], fetching: Fetching, progress: Progress) -> Report:
    """Fetch what sources name. Sources that cannot be read are among what failed."""
    report = Report()
    seen: set[Wanted] = set()

    async def one(wanted: Wanted) -> None:
        fetched = await fetching.fetch(wanted)
        if fetched.problem:
            _failed(Missing(wanted.uri, fetched.problem))
            return
        report.there += fetched.was_there
        report.fetched += not fetched.was_there
        report.octets += 0 if fetched.was_there else fetched.octets
        progress.done(wanted.uri, "there" if fetched.was_there else "fetched", fetched.octets)

    def _failed(missing: Missing) -> None:
        report.failed.append(missing)
        progress.done(missing.name, missing.why, 0)

    async def all_of(source: Source) -> None:
        try:
            found = await source(fetching.read)
        except SourceError as error:
            progress.found(1)
            where, _, why = str(error).partition(": ")
            _failed(Missing(where, why))
            return
        new = [each for each in dict.fromkeys(found) if isinstance(each, Missing) or each not in seen]
        seen.update(each for each in new if isinstance(each, Wanted))
        progress.found(len(new))
        for each in new:
            if isinstance(each, Missing):
                _failed(each)
        await asyncio.gather(*(one(each) for each in new if isinstance(each, Wanted)))

    await asyncio.gather(*map(all_of, sources))
    return report
