"""Commands that a server of a Cluster refuses, since their slot has moved or is moving, and how they are sent again.

MOVED names the server that has the slot now. ASK names the one to which it is moving: the names of the command are
there already, and the server carries it out after ASKING. TRYAGAIN says that some of the names are there and others
are not. Only what was refused is sent again: the rest was carried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import hiredis

from cache.stores.redis.connection import Command, Reply

_KINDS = frozenset({"MOVED", "ASK", "TRYAGAIN"})
_ASKING: Command = ("ASKING",)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Commands of a request that are to be sent again.

    Attributes:
        kind: The beginning of the error by which they were refused.
        place: `host:port` of the server for them; empty for the same one.
        positions: Their places in the request.
        commands: What is sent: perhaps with ASKING.
    """

    kind: str
    place: str
    positions: tuple[int, ...]
    commands: tuple[Command, ...]

    def merged(self, before: Sequence[Reply], replies: Sequence[Reply]) -> list[Reply]:
        """Return the replies to the request: those from before, except where these replies take their places."""
        merged = list(before)
        answers = [reply for command, reply in zip(self.commands, replies, strict=True) if command is not _ASKING]
        for position, reply in zip(self.positions, answers, strict=True):
            merged[position] = reply
        return merged


def redirect(commands: Sequence[Command], replies: Sequence[Reply]) -> Redirect | None:
    """Return what to send again to the first server that is named; None if nothing was refused for this reason."""
    refused = [(found, unit) for unit in _units(commands) if (found := _refusal(replies[unit.start : unit.stop]))]
    if not refused:
        return None
    kind, place = refused[0][0]
    units = [unit for found, unit in refused if found == (kind, place)]
    first = (_ASKING,) if kind == "ASK" else ()
    sent = tuple(command for unit in units for command in (*first, *commands[unit.start : unit.stop]))
    return Redirect(kind, place, tuple(position for unit in units for position in unit), sent)


def errors(replies: Sequence[Reply]) -> Iterator[hiredis.ReplyError]:
    """Yield the errors among replies, also those of the commands of a transaction."""
    for reply in replies:
        for each in reply if isinstance(reply, list) else [reply]:
            if isinstance(each, hiredis.ReplyError):
                yield each


def _units(commands: Sequence[Command]) -> Iterator[range]:
    """Yield the places of what is sent again as a whole: of each transaction, and of each other command.

    ASKING holds for the next command, and for a transaction that begins with it.
    """
    start = 0
    for position, command in enumerate(commands):
        if command[0] == "MULTI":
            start = position
            continue
        in_transaction = commands[start][0] == "MULTI"
        if not in_transaction or command[0] == "EXEC":
            yield range(start, position + 1)
            start = position + 1


def _refusal(replies: Sequence[Reply]) -> tuple[str, str] | None:
    """Return the kind of the first refusal among replies, and the server that it names."""
    for error in errors(replies):
        kind, _, rest = str(error).partition(" ")
        if kind in _KINDS:
            return kind, "" if kind == "TRYAGAIN" else rest.partition(" ")[2]
    return None
