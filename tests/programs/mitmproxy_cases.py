"""Rows of the tables that compare mitmproxy with and without the cache, and the comparison of one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.free_port import free_port
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_differences import assert_only_known_differences
from tests.programs.mitmproxy_runs import TRAFFIC, Ask, Lines, Mitmdump, Seen, Way, play

Shows = Callable[[Seen], object]
"""Tells by a run with the cache whether the options had their effect."""


@dataclass(frozen=True)
class Case:
    """Options of mitmdump, the traffic, and what shows that the options had an effect.

    In an option, `{folder}` is the folder of the test, `{origin}` the URL of the origin, `{port}` a free port, and
    `{recorded}` a flow file. `contents` is false where the written flow file may have no content.
    """

    name: str
    options: tuple[str, ...]
    shows: Shows
    traffic: tuple[Ask, ...] = TRAFFIC
    way: Way = Way.PROXY
    contents: bool = True


def settings(*values: str) -> tuple[str, ...]:
    """Return options of the form `--set name=value`."""
    return tuple(part for value in values for part in ("--set", value))


def compare(case: Case, echo: EchoOrigin, ca: ThrowawayCA, folder: Path, recorded: Path | None = None) -> None:
    """Run a row with and without the cache, and compare what client, origin and flow file saw."""
    seen = []
    for name in ("without", "cached"):
        places = {"folder": folder, "origin": echo.url, "recorded": recorded, "port": free_port()}
        options = tuple(option.format(**places) if "{" in option else option for option in case.options)
        with Mitmdump(folder / name, ca.file, options, cached=name == "cached") as mitmdump:
            seen.append(play(mitmdump, echo, case.traffic, way=case.way))
    without, cached = seen
    assert_only_known_differences(without, cached, contents=case.contents)
    assert case.shows(cached), [(got.status, got.error) for got in cached.client]


def hits(seen: Seen) -> int:
    """Return how many responses to the client were copies or changed."""
    return sum(got.status == 203 for got in seen.client)


def some_hits(seen: Seen) -> bool:
    """Return whether the cache has worked."""
    return hits(seen) >= 2


def origin_saw(name: str, value: str) -> Shows:
    """Return a check that the origin received a field."""
    line = name.lower(), value
    return lambda seen: any(line in lowered(request.fields) for request in seen.origin)


def client_got(content: bytes) -> Shows:
    """Return a check that the client received content."""
    return lambda seen: any(content in got.content for got in seen.client)


def lowered(fields: Lines) -> Lines:
    """Return fields with their names in lower case."""
    return tuple((name.lower(), value) for name, value in fields)
