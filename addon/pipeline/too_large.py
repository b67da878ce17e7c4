"""The responses that were too large to store: remembered beside the store, so that no copy of them is promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from addon.config.units import size_text
from addon.runtime.locked_file import locked_file, rewrite

FILE_NAME = "too-large.jsonl"
"""The name of the file in the store's directory."""

MAX_REMEMBERED = 1000
"""Responses that are remembered at a time. A further one takes the place of the oldest."""


@dataclass(frozen=True, slots=True)
class TooLargeResponse:
    """The last response to a URL, which was too large to store."""

    uri: str
    """The target URI, without dropped query parameters."""
    length: int
    """Bytes of its content, or those that had come when it was given up."""
    whole: bool
    """`length` is that of the whole content."""
    limit: int
    """Bytes of the largest content that was stored then."""

    def size(self) -> str:
        """Return the size of its content as text."""
        return size_text(self.length) if self.whole else f"more than {size_text(self.limit)}"

    def sentence(self) -> str:
        """Return a sentence about it, for people."""
        return (
            f"The last response to {self.uri} was too large to keep: its content has {self.size()}, and at most"
            f" {size_text(self.limit)} were kept (store.max_object, store.max_size)."
        )


class TooLargeResponses:
    """Remembers these responses in memory, and beside the store from `save` on."""

    def __init__(self, directory: Path | None) -> None:
        """Remember beside the store in `directory`; None if the store is in memory."""
        self._file = directory / FILE_NAME if directory else None
        self._earlier: dict[str, TooLargeResponse] | None = None
        self._noted: dict[str, TooLargeResponse] = {}

    @property
    def noted(self) -> list[TooLargeResponse]:
        """The responses since the start of this process, oldest first."""
        return list(self._noted.values())

    def note(self, response: TooLargeResponse) -> None:
        """Remember a response."""
        self._noted.pop(response.uri, None)
        self._noted[response.uri] = response
        if len(self._noted) > MAX_REMEMBERED:
            del self._noted[next(iter(self._noted))]

    def find(self, uri: str) -> TooLargeResponse | None:
        """Return what is remembered of a target URI, or None."""
        if self._earlier is None:
            self._earlier = dict(self._read())
        return self._noted.get(uri) or self._earlier.get(uri)

    def save(self) -> None:
        """Write what was noted into the file, beside what other processes have written. Raises OSError."""
        if self._file is None or not self._noted or not self._file.parent.is_dir():
            return
        with locked_file(self._file) as file:
            known = dict(_parsed(file.read()))
            for uri, response in self._noted.items():
                known.pop(uri, None)
                known[uri] = response
            kept = list(known.values())[-MAX_REMEMBERED:]
            rewrite(file, b"".join(json.dumps(asdict(each)).encode() + b"\n" for each in kept))

    def _read(self) -> Iterator[tuple[str, TooLargeResponse]]:
        if self._file is not None:
            with suppress(OSError):  # without the file, nothing is known
                yield from _parsed(self._file.read_bytes())


def _parsed(data: bytes) -> Iterator[tuple[str, TooLargeResponse]]:
    """Iterate over the responses in a file by their URI, without invalid lines."""
    for line in data.splitlines():
        try:
            match json.loads(line):
                case {"uri": str(uri), "length": int(length), "whole": bool(whole), "limit": int(limit)}:
                    yield uri, TooLargeResponse(uri, length, whole, limit)
        except (ValueError, RecursionError):
            continue
