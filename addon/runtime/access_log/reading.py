"""Reads the lines of an access log: by the format that they were written in, and while the file grows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from addon.config.access_format import JSON, VARIABLES, pieces

type Values = Mapping[str, str]
"""The values of variables by their names; what does not exist is left out."""

DERIVED = {"host": "uri", "uri": "request", "decision": "result", "reason": "result"}
"""Variables whose value can be found in that of another one."""


class LineReader:
    """Reads lines of one format."""

    def __init__(self, name: str) -> None:
        """Read a format as `log.access_format` has it. Raises ValueError if it is none."""
        self._line: re.Pattern[str] | None = None
        self._names = list(VARIABLES)
        if name != JSON:
            parts = pieces(name)
            self._names = [variable for _, variable in parts if variable]
            self._line = _line_of([text for text, _ in parts])

    def knows(self, name: str) -> bool:
        """Return whether the value of a variable can be found in a line."""
        return name in self._names or (name in DERIVED and self.knows(DERIVED[name]))

    def read(self, line: str) -> Values | None:
        """Return the values in a line, or None if the line is in another format."""
        values = self._of_json(line) if self._line is None else self._of_text(self._line, line)
        return None if values is None else _with_derived(values)

    def _of_text(self, pattern: re.Pattern[str], line: str) -> dict[str, str] | None:
        match = pattern.fullmatch(line)
        if match is None:
            return None
        return {name: value for name, value in zip(self._names, match.groups(), strict=True) if value != "-"}

    def _of_json(self, line: str) -> dict[str, str] | None:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        return {name: str(value) for name, value in found.items() if value is not None}


def _line_of(texts: list[str]) -> re.Pattern[str]:
    """Return the pattern of a line that has these texts, with a value between each two of them."""
    first, *between, last = map(re.escape, texts)
    # a value ends where the next text begins first; atomic groups try no later place, which would take minutes
    return re.compile(first + "".join(f"(?>(.*?){text})" for text in between) + f"(.*?){last}")


def _with_derived(values: dict[str, str]) -> Values:
    if "request" in values:
        values.setdefault("uri", values["request"].partition(" ")[2].rpartition(" ")[0])
    if "uri" in values:
        values.setdefault("host", _host(values["uri"]))
    if "result" in values:
        decision, _, reason = values["result"].partition("/")
        values.setdefault("decision", decision)
        values.setdefault("reason", reason)
    return values


def _host(uri: str) -> str:
    """Return the authority of a URL, or of the target of a CONNECT."""
    try:
        return urlsplit(uri).netloc if "://" in uri else uri
    except ValueError:  # brackets without an IPv6 address
        return ""


def lines_of(path: Path) -> Iterator[str]:
    """Iterate over the lines of a log, without line breaks. Raises OSError if it cannot be read."""
    with path.open(encoding="ascii", errors="backslashreplace", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n")


class GrowingLog:
    """A log that is read while lines are added to it, renamed or not."""

    def __init__(self, path: Path, position: int) -> None:
        """Begin at a position in bytes. Raises OSError if the file cannot be read."""
        self._path = path
        self._file = path.open("rb")
        self._file.seek(position)
        self._rest = b""

    def added(self) -> Iterator[str]:
        """Iterate over the lines that were added since the last time, without line breaks. Raises OSError."""
        yield from self._new_lines()
        if self._is_replaced():
            yield from self._new_lines()  # what was added between the last look and the renaming
            self._file.close()
            self._file, self._rest = self._path.open("rb"), b""
            yield from self._new_lines()
        elif os.fstat(self._file.fileno()).st_size < self._file.tell():  # it was emptied
            self._file.seek(0)
            self._rest = b""
            yield from self._new_lines()

    def _new_lines(self) -> Iterator[str]:
        while data := self._file.read(65_536):
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield line.decode("ascii", errors="backslashreplace")

    def _is_replaced(self) -> bool:
        """Return whether there is another file of this name."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:  # renamed, and nothing was written since
            return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()
