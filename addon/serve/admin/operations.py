"""The operations of the admin API. Each is a control command, or several, by a path and a method of HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from addon.runtime.control import Handler
from addon.runtime.control_client import numbers_in, table_in
from addon.runtime.metrics.host_times import HostTimes
from addon.serve.admin import offline_results, results
from addon.serve.admin.arguments import (
    MAX_LOCK_FILE_REQUEST,
    Arguments,
    DiffArguments,
    EntriesArguments,
    ExchangesArguments,
    FetchArguments,
    LockFileArguments,
    ModeArguments,
    PreviewArguments,
    PurgeArguments,
    RecordingArguments,
    SeriesArguments,
    SetUpCodeArguments,
    ShowArguments,
    WhyArguments,
)
from addon.serve.admin.not_stored import not_stored_by_reason
from addon.serve.admin.set_up_code import set_up_code

USUAL_CONTENT = 4_194_304
"""Bytes of the largest content of a request to most operations."""

type Commands = Mapping[str, Handler]
type Run = Callable[[Commands, Mapping[str, object]], Awaitable[Mapping[str, object]]]
"""Runs commands with the arguments of an operation, and returns its result."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    run: Run
    result: type
    arguments: type[Arguments] = Arguments
    max_content: int = USUAL_CONTENT
    """Bytes of the largest content of a request."""


def _one(command: str) -> Run:
    """Return what runs one command."""

    async def run(commands: Commands, arguments: Mapping[str, object]) -> Mapping[str, object]:
        return await commands[command](arguments)

    return run


async def _exchanges(commands: Commands, arguments: Mapping[str, object]) -> Mapping[str, object]:
    reply = await commands["exchanges"]({})
    found = reply["exchanges"]
    return {"exchanges": found[-int(str(arguments["limit"])) :] if isinstance(found, list) else []}


async def _stats(commands: Commands, _arguments: Mapping[str, object]) -> Mapping[str, object]:
    summary = await commands["summary"]({})
    return {
        "since": summary["since"],
        "contents": await _contents(commands),
        "store": await commands["store"]({}),
        "counters": await commands["stats"]({}),
        "hosts": summary["hosts"],
        "origin_times": await _origin_times(commands),
        "distrusted": (await commands["failed-hosts"]({}))["distrusted"],
    }


async def _contents(commands: Commands) -> Mapping[str, object] | None:
    """Return what the store contains; None while it cannot be read, so that all else is told at such a time, too."""
    try:
        return await commands["contents"]({})
    except ValueError:
        return None


async def _origin_times(commands: Commands) -> Mapping[str, object]:
    times = HostTimes()
    times.add_described(await commands["origin-times"]({}))
    return times.summary()


async def _not_stored(commands: Commands, _arguments: Mapping[str, object]) -> Mapping[str, object]:
    counters, hosts = numbers_in(await commands["stats"]({})), table_in((await commands["summary"]({}))["hosts"])
    return {**not_stored_by_reason(counters, hosts, await commands["not-stored-examples"]({}))}


async def _set_up_code(commands: Commands, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return set_up_code(await commands["status"]({}), str(arguments.get("host", "")))


async def _missing(commands: Commands, _arguments: Mapping[str, object]) -> Mapping[str, object]:
    return {**await commands["missing"]({}), **await commands["still-missing"]({})}


async def _diff(commands: Commands, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return await commands["diff"]({**arguments, "lines": True})


async def _switch_recording(commands: Commands, arguments: Mapping[str, object]) -> Mapping[str, object]:
    name = arguments.get("name")
    await commands[str(arguments["doing"])]({"stop": True} if name is None else {"name": name})
    return await commands["recordings"]({})


OPERATIONS = (
    Operation(
        "GET",
        "/status",
        "The processes of the proxy, where it listens, its mode, the origins of its sites, and its store.",
        run=_one("status"),
        result=results.Status,
    ),
    Operation(
        "GET",
        "/sites",
        "The sites of an edge, with the state of their origins.",
        run=_one("sites"),
        result=results.Sites,
    ),
    Operation(
        "GET",
        "/entries",
        "A list of stored responses.",
        run=_one("entries"),
        result=results.Entries,
        arguments=EntriesArguments,
    ),
    Operation(
        "GET",
        "/show",
        "The stored responses for a URL.",
        run=_one("show"),
        result=results.Shown,
        arguments=ShowArguments,
    ),
    Operation(
        "GET",
        "/preview",
        "The beginning of a stored content: text of at most 64 KiB, or an image of pixels of at most 1 MiB.",
        run=_one("preview"),
        result=results.Preview,
        arguments=PreviewArguments,
    ),
    Operation(
        "GET",
        "/why",
        "The response that a request would get, and the reason.",
        run=_one("why"),
        result=results.Why,
        arguments=WhyArguments,
    ),
    Operation(
        "GET",
        "/exchanges",
        "The latest exchanges with clients, the oldest first; with Accept: text/event-stream, new ones as they end.",
        run=_exchanges,
        result=results.Exchanges,
        arguments=ExchangesArguments,
    ),
    Operation(
        "GET",
        "/series",
        "Counts over time: responses by outcome, bytes and saved time, for each minute, 5 minutes or hour.",
        run=_one("series"),
        result=results.Series,
        arguments=SeriesArguments,
    ),
    Operation("GET", "/stats", "What is stored, and what the proxy has done.", run=_stats, result=results.Stats),
    Operation(
        "GET",
        "/not-stored",
        "Why responses were not stored since the start, by reason and host, and what would change it.",
        run=_not_stored,
        result=results.NotStoredByReason,
    ),
    Operation(
        "GET",
        "/missing",
        "What was missing while offline and still is, and what was too large to be stored.",
        run=_missing,
        result=offline_results.Missing,
    ),
    Operation(
        "POST",
        "/fetch",
        "Fetch a URL into the store, as clients that missed it asked for it.",
        run=_one("fetch-missing"),
        result=offline_results.FetchedMissing,
        arguments=FetchArguments,
    ),
    Operation(
        "GET",
        "/set-up-code",
        "The QR code with the address of the set-up page, if other devices can use an address of the proxy.",
        run=_set_up_code,
        result=results.SetUpCode,
        arguments=SetUpCodeArguments,
    ),
    Operation("GET", "/config", "The settings in force, without secrets.", run=_one("config"), result=results.Config),
    Operation("GET", "/modes", "When origins are asked.", run=_one("mode"), result=results.Modes),
    Operation(
        "PUT",
        "/modes",
        "Switch when origins are asked.",
        run=_one("mode"),
        result=results.Modes,
        arguments=ModeArguments,
    ),
    Operation(
        "GET",
        "/recordings",
        "The recordings, and which of them is being made or replayed.",
        run=_one("recordings"),
        result=offline_results.Recordings,
    ),
    Operation(
        "PUT",
        "/recordings",
        "Begin to make or to replay a recording, or end it.",
        run=_switch_recording,
        result=offline_results.Recordings,
        arguments=RecordingArguments,
    ),
    Operation(
        "POST",
        "/lock-file",
        "Look for everything that a lock file names in the store.",
        run=_one("check-lock-file"),
        result=offline_results.CheckedLockFile,
        arguments=LockFileArguments,
        max_content=MAX_LOCK_FILE_REQUEST,
    ),
    Operation(
        "POST",
        "/diff",
        "Compare two recordings, or one with what the origins answer now, part by part.",
        run=_diff,
        result=offline_results.RecordingsDiff,
        arguments=DiffArguments,
    ),
    Operation(
        "POST",
        "/purge",
        "Delete stored responses, or mark them as stale.",
        run=_one("purge"),
        result=results.Purged,
        arguments=PurgeArguments,
    ),
)
"""All operations."""
