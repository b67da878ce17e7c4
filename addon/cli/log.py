"""`secondhand log`: print the access log, or what of it is asked for, and go on as lines are added."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, load_configuration
from addon.cli.terminal import fail, print_json, print_line, print_note, printable
from addon.config.user_folders import expanded
from addon.runtime.access_log.reading import GrowingLog, LineReader, Values, lines_of
from addon.runtime.exit_codes import FAILED, NOT_FOUND
from cache.http.host_filter import host_and_port, host_filter

LINES_BEFORE = 10
"""Lines that are printed before those that are added."""

SECONDS_BETWEEN = 0.25
"""Between two looks into a growing log."""

_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)(?:-[1-5][0-9]{2})?")

type Condition = tuple[str, Callable[[str], bool]]
"""The name of a variable, and a test of its value."""


def log(
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on printing lines as they are added.")] = False,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Only of this host or HOST:PORT; a pattern is possible.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="A part of the URL, or a pattern with * and ? for the whole URL."),
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(metavar="STATUS", help="Only with this status: 404, 5xx or 500-503.")
    ] = None,
    decision: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only with this decision, like hit, uri-miss or refused.")
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only with this reason, like set-cookie or no-store.")
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only of this client; a pattern is possible.")
    ] = None,
    lines: Annotated[
        int | None, typer.Option("-n", "--lines", metavar="N", min=0, help="Only the last N of them.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another file, in the same format.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the lines of the access log that fit all conditions.

    Conditions need lines that have what they ask for: with the format json, all of them work.
    """
    settings = load_configuration(config).settings
    path = file or (expanded(settings.log.access) if settings.log.access else None)
    if path is None:
        fail('there is no access log: log.access is empty in the settings, expected a file like "access.log"', FAILED)
    if path.exists() and not path.is_file():
        fail(f"{path} is no file, so what was written to it cannot be read; --file names another one", FAILED)
    reader = LineReader(settings.log.access_format)
    conditions = list(
        _conditions(host, url, client, statuses=status or [], decisions=decision or [], reasons=reason or [])
    )
    for name, _ in conditions:
        if not reader.knows(name):
            fail(f'the format of the access log has no ${name}; log.access_format = "json" has everything', FAILED)
    selection = _Selection(reader, conditions, as_json=as_json)
    try:
        _print(path, selection, lines, follow=follow)
    except OSError as error:
        fail(f"{path}: {error.strerror}", NOT_FOUND if isinstance(error, FileNotFoundError) else FAILED)
    if selection.unread:
        print_note(f"{selection.unread} lines are not in the format of the settings, and were left out")


def _print(path: Path, selection: _Selection, lines: int | None, *, follow: bool) -> None:
    """Print a log, and go on if told to. Raises OSError."""
    position = path.stat().st_size if follow else 0
    found = selection.of(lines_of(path))
    last = LINES_BEFORE if follow and lines is None else lines
    for line in found if last is None else deque(found, maxlen=last):
        selection.print(line)
    if not follow:
        return
    growing = GrowingLog(path, position)
    try:
        while True:
            for line in selection.of(growing.added()):
                selection.print(line)
            time.sleep(SECONDS_BETWEEN)
    finally:
        growing.close()


class _Selection:
    """The lines that fit all conditions."""

    def __init__(self, reader: LineReader, conditions: list[Condition], *, as_json: bool) -> None:
        self._reader, self._conditions, self._as_json = reader, conditions, as_json
        self.unread = 0
        """Lines that could not be read."""

    def of(self, lines: Iterable[str]) -> Iterator[str]:
        """Iterate over those of these lines that fit."""
        if not self._conditions:
            yield from lines
            return
        for line in lines:
            values = self._reader.read(line)
            if values is None:
                self.unread += 1
            elif all(name in values and fits(values[name]) for name, fits in self._conditions):
                yield line

    def print(self, line: str) -> None:
        """Print a line as it is, or its values as JSON."""
        if not self._as_json:
            print_line(printable(line))
            return
        values: Values | None = self._reader.read(line)
        if values is None:
            self.unread += 1
        else:
            print_json(dict(values))


def _conditions(
    host: str | None,
    url: str | None,
    client: str | None,
    *,
    statuses: list[str],
    decisions: list[str],
    reasons: list[str],
) -> Iterator[Condition]:
    if host is not None:
        wanted = host_filter(host)
        if wanted.port is None:
            yield "host", lambda value: wanted.fits(*host_and_port(value))
        else:  # the host is logged without a port that is the usual one of the scheme
            yield "uri", wanted.fits_url
    if url is not None:
        yield "uri", _matching(url if set("*?") & set(url) else f"*{url}*")
    if client is not None:
        yield "remote_addr", _matching(client)
    if statuses:
        tests = list(map(_status_test, statuses))
        yield "status", lambda value: any(test(value) for test in tests)
    if decisions:
        yield "decision", frozenset(decisions).__contains__
    if reasons:
        yield "reason", frozenset(reasons).__contains__


def _matching(pattern: str) -> Callable[[str], bool]:
    return lambda value: fnmatchcase(value, pattern)


def _status_test(text: str) -> Callable[[str], bool]:
    """Return a test for a status, a class of statuses, or a range."""
    if not _STATUS.fullmatch(text):
        raise typer.BadParameter(f'expected a status like 404, 5xx or 500-503, found "{text}"', param_hint="--status")
    if text.endswith("xx"):
        return lambda value: value[:1] == text[0]
    low, _, high = text.partition("-")
    return lambda value: low <= value <= (high or low)
