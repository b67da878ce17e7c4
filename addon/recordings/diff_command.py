"""The control command `diff`: compares two recordings, or one with what the origins answer now, part by part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from itertools import islice

from addon.offline.modes import check_that_origins_are_asked
from addon.pipeline.pipeline import Pipeline
from addon.recordings.diff import Changed, Comparison, by_key, grouped
from addon.recordings.library import RecordingLibrary
from addon.recordings.live import NotCompared, live_recording
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore, StoreError

MAX_URLS = 500
"""URLs of two recordings that are compared in one part."""

MAX_CHANGED = 50
"""Responses that differ in one part, after which it ends."""

MAX_LIVE = 16
"""URLs that origins are asked for in one part, all at the same time."""

type Compare = Callable[[ResponseStore, ResponseStore], Comparison]
"""Returns the comparison of two stores, as the arguments of the command say."""


class DiffCommand:
    """The command, for a library of recordings."""

    def __init__(
        self,
        library: RecordingLibrary,
        policy: Callable[[], CachePolicy],
        make_pipeline: Callable[[ResponseStore], Pipeline],
    ) -> None:
        """Compare.

        Args:
            library: The recordings.
            policy: Returns the policy in force, which may say that no origin is asked.
            make_pipeline: Returns a pipeline that records into a store.
        """
        self._library = library
        self._policy = policy
        self._make_pipeline = make_pipeline

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Compare the URLs behind `after`, as many as are in one part.

        Arguments are `first` and `second`, the names of the recordings, `ignore`, names of fields, `lines`, true if
        texts are compared by line, and `after`, the `next` of the part before. Without `second`, origins are asked.

        Raises:
            ValueError: an argument is invalid, there is no such recording, or no origin may be asked.
        """
        match {"second": None, "ignore": [], "lines": False, "after": "", **arguments}:
            case {
                "first": str(first),
                "second": None | str() as second,
                "ignore": list(ignore),
                "lines": bool(with_lines),
                "after": str(after),
                **others,
            } if not others:
                ignored = frozenset(str(name).lower() for name in ignore)
                compare = partial(Comparison, ignored=ignored, with_lines=with_lines)
            case _:
                raise ValueError('expected "first" and perhaps "second", "ignore", "lines" and "after"')
        try:
            if second is None:
                return await self._with_origins(first, compare, after)
            return await asyncio.to_thread(self._of_two, (first, second), compare, after)
        except StoreError as error:
            raise ValueError(str(error)) from error

    def _of_two(self, names: Sequence[str], compare: Compare, after: str) -> dict[str, object]:
        with ExitStack() as stack:
            first, second = (stack.enter_context(self._library.opened(name)) for name in names)
            comparison = compare(first, second)
            changed: list[Changed] = []
            last, compared = "", 0
            groups = grouped(first, second, after)
            for group in islice(groups, MAX_URLS):
                changed += comparison.of(group)
                last, compared = group[0], compared + 1
                if len(changed) >= MAX_CHANGED:
                    break
            return _part(changed, [], compared, last if next(groups, None) else None)

    async def _with_origins(self, name: str, compare: Compare, after: str) -> dict[str, object]:
        check_that_origins_are_asked(self._policy())
        with ExitStack() as stack:
            recording = await asyncio.to_thread(stack.enter_context, self._library.opened(name))
            recorded = await asyncio.to_thread(lambda: list(islice(by_key(recording, after), MAX_LIVE + 1)))
            part = recorded[:MAX_LIVE]
            async with live_recording(self._library, self._make_pipeline) as live:
                without = await live.ask_for([entry for _, entries in part for entry in entries])
                comparison = compare(recording, live.store)
                changed = await asyncio.to_thread(_compared, comparison, part, without)
        following = part[-1][0] if len(recorded) > MAX_LIVE else None
        return _part(changed, list(without.values()), len(part), following)


def _compared(
    comparison: Comparison, part: Sequence[tuple[str, list[StoredResponse]]], without: Container[str]
) -> list[Changed]:
    """Compare a part of a recording with the present responses, except what has none."""
    present = dict(by_key(comparison.second))
    changed: list[Changed] = []
    for key, entries in part:
        asked = [entry for entry in entries if entry.id not in without]
        changed += comparison.of((key, asked, present.get(key, [])))
    return changed


def _part(
    changed: Sequence[Changed], not_compared: Sequence[NotCompared], compared: int, following: str | None
) -> dict[str, object]:
    return {
        "urls": compared,
        "changed": [asdict(each) for each in changed],
        "not_compared": [asdict(each) for each in not_compared],
        "next": following,
    }
