"""The channel between the supervisor and a worker: commands in both directions, each with its reply."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping

import pytest

from addon.runtime import channel
from addon.runtime.channel import Channel
from addon.runtime.control_client import ControlError
from tests.fixtures.until import LONGEST


async def echo(arguments: Mapping[str, object]) -> dict[str, object]:
    return dict(arguments)


async def refuse(_arguments: Mapping[str, object]) -> dict[str, object]:
    raise ValueError("expected a host")


def converse(conversation: Callable[[Channel, Channel], Awaitable[None]]) -> None:
    """Run a conversation between two connected channels."""

    async def main() -> None:
        one, other = socket.socketpair()
        ends = Channel({"echo": echo, "refuse": refuse}), Channel({"echo": echo})
        for end, connection in zip(ends, (one, other), strict=True):
            await end.start(connection)
        async with asyncio.timeout(LONGEST):
            await conversation(*ends)
        for end in ends:
            await end.close()

    asyncio.run(main())


def test_both_ends_can_ask() -> None:
    async def conversation(one: Channel, other: Channel) -> None:
        assert await one.ask("echo", a=1) == {"a": 1}
        assert await other.ask("echo", b="ä") == {"b": "ä"}

    converse(conversation)


def test_an_error_is_passed_on_and_the_channel_goes_on() -> None:
    async def conversation(_one: Channel, other: Channel) -> None:
        with pytest.raises(ControlError, match="expected a host"):
            await other.ask("refuse")
        with pytest.raises(ControlError, match="unknown command mode, expected one of echo, refuse"):
            await other.ask("mode")
        assert await other.ask("echo") == {}

    converse(conversation)


def test_a_command_that_takes_long_keeps_no_other_waiting() -> None:
    async def conversation(one: Channel, other: Channel) -> None:
        finished = asyncio.Event()

        async def slow(_arguments: Mapping[str, object]) -> dict[str, object]:
            await finished.wait()
            return {"slow": True}

        one.handlers["slow"] = slow
        waiting = asyncio.ensure_future(other.ask("slow"))
        assert await other.ask("echo") == {}
        assert not waiting.done()
        finished.set()
        assert await waiting == {"slow": True}

    converse(conversation)


def test_a_command_fails_when_the_other_process_ends() -> None:
    async def conversation(one: Channel, other: Channel) -> None:
        async def never(_arguments: Mapping[str, object]) -> dict[str, object]:
            await one.close()
            return {}

        one.handlers["never"] = never
        with pytest.raises(ControlError, match="the process has ended"):
            await other.ask("never")
        await other.closed.wait()
        with pytest.raises(ControlError, match="the process has ended"):
            await other.ask("echo")

    converse(conversation)


@pytest.mark.parametrize("text", ["\x7f" * 200, "a" * 1000])
def test_a_message_that_is_too_long_fails_alone_and_the_channel_goes_on(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(channel, "MAX_REPLY", 1000)

    async def long(_arguments: Mapping[str, object]) -> dict[str, object]:
        return {"text": text}

    async def conversation(one: Channel, other: Channel) -> None:
        asking = asyncio.ensure_future(one.ask("echo", text=text))
        ended = asyncio.ensure_future(other.closed.wait())
        await asyncio.wait([asking, ended], return_when=asyncio.FIRST_COMPLETED)
        assert not other.closed.is_set()
        with pytest.raises(ControlError, match=r"the message has \d+ bytes, expected at most 1000"):
            await asking
        one.handlers["long"] = long
        with pytest.raises(ControlError, match=r"the message has \d+ bytes, expected at most 1000"):
            await other.ask("long")
        assert await one.ask("echo", a=1) == await other.ask("echo", a=1) == {"a": 1}

    converse(conversation)


def test_a_message_of_the_greatest_length_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = len(json.dumps({"id": 1, "command": "echo", "arguments": {"a": ""}}))
    monkeypatch.setattr(channel, "MAX_REPLY", 1000)

    async def conversation(one: Channel, _other: Channel) -> None:
        assert await one.ask("echo", a="x" * (1000 - empty)) == {"a": "x" * (1000 - empty)}

    converse(conversation)
