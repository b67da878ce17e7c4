"""Reads a lock file in a process of its own: a large one takes seconds, in which a proxy would answer nobody.

The two processes talk over a channel. This one asks for documents that the file needs, as pages of an index; the other
one, which knows the store, replies.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import batched
from pathlib import Path

from addon.offline.wanted import Digest, Document, Found, Missing, NotThereError, Read, SourceError, Wanted
from addon.runtime.channel import Channel
from addon.runtime.control_client import ControlError
from addon.warm.lockfiles import formats
from addon.warm.lockfiles.lock_file import LockFile

AT_ONCE = 200
"""Items in one message: a proxy reads messages between its other work."""

NICENESS = 10
"""The process gives way to those that answer clients."""


async def found_in_process(file: Path, read: Read) -> Found:
    """Return what a lock file names, read by another process; `read` returns the documents that it needs.

    No other file of its project is read.
    The process, and what it has started, ends at the latest when the caller is cancelled. Raises SourceError.
    """

    async def reply(arguments: Mapping[str, object]) -> dict[str, object]:
        try:
            document = await read(_wanted(arguments))
        except NotThereError as error:
            return {"problem": str(error)}
        return {**asdict(document), "content": b64encode(document.content).decode()}

    found: Found = []

    async def take(arguments: Mapping[str, object]) -> dict[str, object]:
        items = arguments["items"]
        found.extend(_item(each) for each in (items if isinstance(items, list) else []))
        return {}

    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = await _started(theirs)
        except BaseException:
            ours.close()
            raise
    channel = Channel({"read": reply, "take": take})
    try:
        await channel.start(ours)
        ended = await channel.ask("find", path=str(file))
    except ControlError as error:
        raise SourceError(f"{file}: cannot be read: {error}") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await channel.close()
        await process.wait()
    if problem := ended.get("problem"):
        raise (NotThereError if ended["is_not_there"] else SourceError)(str(problem))
    return found


async def _started(connection: socket.socket) -> asyncio.subprocess.Process:
    """Start the other process, which leads a group: what it starts can be ended with it. Raises SourceError."""
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__, str(connection.fileno())),
            pass_fds=[connection.fileno()],
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise SourceError(f"no process can be started: {error.strerror}") from None


def _item(item: Mapping[str, object]) -> Wanted | Missing:
    return Missing(str(item["name"]), str(item["why"])) if "why" in item else _wanted(item)


def _wanted(item: Mapping[str, object]) -> Wanted:
    match dict(item):
        case {"uri": str(uri), "fields": list(fields), "digest": digest, "may_be_absent": bool(may_be_absent)}:
            lines = tuple((str(name), str(value)) for name, value in fields)
            expected = Digest(str(digest["algorithm"]), str(digest["value"])) if isinstance(digest, dict) else None
            return Wanted(uri, lines, expected, may_be_absent)
    raise ValueError("expected a wanted URL")


# ---- the other process


async def _serve(connection: socket.socket) -> None:
    """Reply to the process that has started this one, until it closes the connection."""

    async def read(wanted: Wanted) -> Document:
        document = await channel.ask("read", **asdict(wanted))
        if problem := document.get("problem"):
            raise NotThereError(str(problem))
        return Document(str(document["uri"]), b64decode(str(document["content"])), str(document["media_type"]))

    async def find(arguments: Mapping[str, object]) -> dict[str, object]:
        try:
            found = await formats.found_in(LockFile(Path(str(arguments["path"])), read, is_alone=True))
        except SourceError as error:
            return {"problem": str(error), "is_not_there": isinstance(error, NotThereError)}
        for some in batched(found, AT_ONCE):
            await channel.ask("take", items=[asdict(each) for each in some])
        return {}

    channel = Channel({"find": find})
    await channel.start(connection)
    await channel.closed.wait()
    await channel.close()


if __name__ == "__main__":
    os.nice(NICENESS)
    with suppress(OSError):  # only Linux has it: where memory is short, this process ends, and not the proxy
        Path("/proc/self/oom_score_adj").write_text("1000")
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1]))))
