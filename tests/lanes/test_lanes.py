"""Every conversation has the same responses in every lane."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Iterator

import pytest

from tests.fixtures.redis_server import needs_redis
from tests.lanes.comparison import ComparableResponse
from tests.lanes.conversation_runner import run_conversation
from tests.lanes.engine_lane import EngineLane
from tests.lanes.lane import Lane
from tests.lanes.responder_lane import ResponderLane
from tests.lanes.script import Conversation
from tests.lanes.served_lane import ServedPool
from tests.lanes.server_lane import ServerLane
from tests.lanes.services import ServicePool
from tests.lanes.unsupported import LANES, reason_unsupported
from tests.rfc.all_conversations import CONVERSATIONS


class LaneRunner:
    """Runs conversations in all lanes, on one event loop, and remembers the responses in their first lanes."""

    def __init__(self, loop: asyncio.Runner) -> None:
        self.services = ServicePool()
        self.served = ServedPool()
        self._loop = loop
        self._first: dict[str, list[ComparableResponse]] = {}

    def run(self, conversation: Conversation, name: str) -> None:
        """Run a conversation in a lane. Compare the responses with those in the first lane that supports it."""
        first = next(lane for lane in LANES if not reason_unsupported(conversation, lane))
        if conversation.title not in self._first:
            self._first[conversation.title] = self._responses(conversation, first)
        if name != first:
            responses = self._responses(conversation, name)
            assert responses == self._first[conversation.title], f"{name} differs from {first}"

    def _responses(self, conversation: Conversation, name: str) -> list[ComparableResponse]:
        return self._loop.run(run_conversation(conversation, self._lane(name)))

    def _lane(self, name: str) -> Lane:
        match name:
            case "engine":
                return EngineLane()
            case "responder":
                return ResponderLane(self.services)
            case "disk" | "redis":
                return ResponderLane(self.services, store=name)
            case "http1":
                return ServerLane(self.services, "http", name)
            case "http1-tls":
                return ServerLane(self.services, "https", name)
            case "http2-tls":
                return ServerLane(self.services, "http2", name)
            case "http2-clear":
                return ServerLane(self.services, "http2-clear", name)
            case "http" | "https" | "http2":
                return ServerLane(self.served, name)
        raise ValueError(name)


@pytest.fixture(scope="module")
def lanes() -> Iterator[LaneRunner]:
    with pytest.MonkeyPatch.context() as environment, asyncio.Runner() as loop:
        # reading the system's trust store takes longer than most conversations
        environment.setenv("SSL_CERT_FILE", os.devnull)
        environment.setenv("SSL_CERT_DIR", os.devnull)
        lanes = LaneRunner(loop)
        yield lanes
        loop.run(lanes.served.close())
        loop.run(lanes.services.close())
    del lanes
    gc.collect()  # an unclosed resource is reported here, and not in a later test


def each(lane: str) -> pytest.MarkDecorator:
    supported = [each for each in CONVERSATIONS if not reason_unsupported(each, lane)]
    return pytest.mark.parametrize("conversation", supported, ids=str)


@each("engine")
def test_by_the_engine(conversation: Conversation, lanes: LaneRunner) -> None:
    lanes.run(conversation, "engine")


@each("responder")
def test_by_the_responder(conversation: Conversation, lanes: LaneRunner) -> None:
    lanes.run(conversation, "responder")


@each("disk")
def test_with_a_store_on_disk(conversation: Conversation, lanes: LaneRunner) -> None:
    lanes.run(conversation, "disk")


@needs_redis
@each("redis")
def test_with_a_store_on_redis(conversation: Conversation, lanes: LaneRunner) -> None:
    lanes.run(conversation, "redis")


@each("http1")
def test_through_the_front_end(conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture) -> None:
    lanes.run(conversation, "http1")
    assert not logged_errors(caplog)


@each("http1-tls")
def test_through_the_front_end_in_a_tunnel(
    conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture
) -> None:
    lanes.run(conversation, "http1-tls")
    assert not logged_errors(caplog)


@each("http2-tls")
def test_through_the_front_end_over_http2_in_a_tunnel(
    conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture
) -> None:
    lanes.run(conversation, "http2-tls")
    assert not logged_errors(caplog)


@each("http2-clear")
def test_through_the_front_end_over_http2(
    conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture
) -> None:
    lanes.run(conversation, "http2-clear")
    assert not logged_errors(caplog)


@each("http")
def test_through_mitmproxy(conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture) -> None:
    lanes.run(conversation, "http")
    assert not logged_errors(caplog)


@each("https")
def test_through_mitmproxy_in_a_tunnel(
    conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture
) -> None:
    lanes.run(conversation, "https")
    assert not logged_errors(caplog)


@each("http2")
def test_through_mitmproxy_over_http2(
    conversation: Conversation, lanes: LaneRunner, caplog: pytest.LogCaptureFixture
) -> None:
    lanes.run(conversation, "http2")
    assert not logged_errors(caplog)


def logged_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the errors in the log. mitmproxy only logs an exception that an addon raised."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
