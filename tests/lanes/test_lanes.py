"""Every conversation, in every lane, with the same answers."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator

import pytest

from tests.lanes.comparison import Told
from tests.lanes.engine_lane import EngineLane
from tests.lanes.hooks_lane import HooksLane
from tests.lanes.house import Street
from tests.lanes.lane import Lane
from tests.lanes.limits import LANES, limit
from tests.lanes.play import play
from tests.lanes.responder_lane import ResponderLane
from tests.lanes.script import Conversation
from tests.rfc.all_conversations import CONVERSATIONS


class Theatre:
    """Every lane, on one event loop, and what was told in the first lane that shows a conversation."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.street = Street()
        self._runner = runner
        self._first: dict[str, list[Told]] = {}

    def play(self, conversation: Conversation, name: str) -> None:
        """Play a conversation in a lane, and compare."""
        first = next(lane for lane in LANES if not limit(conversation, lane))
        if conversation.title not in self._first:
            self._first[conversation.title] = self._told(conversation, first)
        if name != first:
            assert self._told(conversation, name) == self._first[conversation.title], f"{name} differs from {first}"

    def _told(self, conversation: Conversation, name: str) -> list[Told]:
        return self._runner.run(play(conversation, self._lane(name)))

    def _lane(self, name: str) -> Lane:
        match name:
            case "engine":
                return EngineLane()
            case "responder":
                return ResponderLane(self.street)
            case "disk":
                return ResponderLane(self.street, on_disk=True)
            case "door":
                return HooksLane(self.street, "http", name)
            case "door-tls":
                return HooksLane(self.street, "https", name)
            case "http" | "https" | "http2":
                return HooksLane(self.street, name)
        raise ValueError(name)


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with pytest.MonkeyPatch.context() as environment, asyncio.Runner() as runner:
        # reading the system's trust store takes longer than most conversations
        environment.setenv("SSL_CERT_FILE", os.devnull)
        environment.setenv("SSL_CERT_DIR", os.devnull)
        theatre = Theatre(runner)
        yield theatre
        runner.run(theatre.street.close())


def each(lane: str) -> pytest.MarkDecorator:
    shown = [each for each in CONVERSATIONS if not limit(each, lane)]
    return pytest.mark.parametrize("conversation", shown, ids=str)


@each("engine")
def test_by_the_engine_alone(conversation: Conversation, theatre: Theatre) -> None:
    theatre.play(conversation, "engine")


@each("responder")
def test_by_the_responder(conversation: Conversation, theatre: Theatre) -> None:
    theatre.play(conversation, "responder")


@each("disk")
def test_with_a_store_on_disk(conversation: Conversation, theatre: Theatre) -> None:
    theatre.play(conversation, "disk")


@each("door")
def test_through_the_door(conversation: Conversation, theatre: Theatre, caplog: pytest.LogCaptureFixture) -> None:
    theatre.play(conversation, "door")
    assert not errors(caplog)


@each("door-tls")
def test_through_the_door_in_a_tunnel(
    conversation: Conversation, theatre: Theatre, caplog: pytest.LogCaptureFixture
) -> None:
    theatre.play(conversation, "door-tls")
    assert not errors(caplog)


@each("http")
def test_through_the_proxy(conversation: Conversation, theatre: Theatre, caplog: pytest.LogCaptureFixture) -> None:
    theatre.play(conversation, "http")
    assert not errors(caplog)


@each("https")
def test_through_a_tunnel(conversation: Conversation, theatre: Theatre, caplog: pytest.LogCaptureFixture) -> None:
    theatre.play(conversation, "https")
    assert not errors(caplog)


@each("http2")
def test_over_http2(conversation: Conversation, theatre: Theatre, caplog: pytest.LogCaptureFixture) -> None:
    theatre.play(conversation, "http2")
    assert not errors(caplog)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what mitmproxy logged and swallowed: an addon that raised, above all."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
