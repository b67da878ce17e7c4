"""Every conversation has the same responses inside another mitmproxy.

These lanes are apart from the others since mitmproxy keeps its options in a global variable: there is one at a time.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.lanes.conversation_runner import run_conversation
from tests.lanes.embedded_lane import EmbeddedPool
from tests.lanes.script import Answer, Conversation, Step
from tests.lanes.server_lane import Protocol, ServerLane
from tests.lanes.test_lanes import logged_errors
from tests.lanes.unsupported import reason_unsupported
from tests.rfc import broken_responses
from tests.rfc.all_conversations import CONVERSATIONS

PAGE = "mitmproxy makes the page of a failed fetch itself, and waits for its end before it sends a response"
LENIENT = "mitmproxy passes on, or refuses in its own way, what our own client refuses"
FORWARDED = "mitmproxy forwards this as it comes"
TIMING = "mitmproxy holds a response until it is complete, so waiting requests get it at another time"

UNSUPPORTED = {
    "a second request that waits for JSON with a secret is forwarded once only a scrubbed copy exists": TIMING,
    "a second request that joins while JSON with a secret is received gets all that the origin sends": TIMING,
    "the rest of a response is stored after its client has disconnected": TIMING,
    "an error in response to HEAD has no content": PAGE,
    "the origin sends nothing and nothing is stored: 504": "mitmproxy waits for an origin without a limit",
    "no last chunk: the connection to the client is closed early, and nothing is stored": PAGE,
    "no end of the trailer section: the connection to the client is closed early, and nothing is stored": PAGE,
    "a malformed chunk: the connection to the client is closed early, and nothing is stored": PAGE,
    "a reset within the body: the connection to the client is closed early, and nothing is stored": PAGE,
    "a large body that is incomplete: the connection to the client is closed early, and nothing is stored": PAGE,
    "a body without Content-Length is complete when the connection closes": "mitmproxy then closes the client's, too",
    "an absolute request target replaces Host": "mitmproxy sends the Host field that the client or a script wrote",
    "NUL in a field: 502, and nothing is stored": LENIENT,
    "a folded line: 502, and nothing is stored": LENIENT,
    "a switch of protocols that was not requested: 502, and nothing is stored": LENIENT,
    "interim responses are relayed, but neither stored nor taken for the final response": (
        "mitmproxy takes an interim response over HTTP/1 for the final one"
    ),
    "trailers are relayed, but not stored": "mitmproxy cannot send trailers over HTTP/1",
    "an HTTP/1.0 response is relayed as HTTP/1.1": FORWARDED,
    **{each.title: LENIENT for each in broken_responses.CONVERSATIONS},
}
"""Titles of conversations that mitmproxy itself makes impossible, each with the reason."""

EAGER = "an eager mitmproxy connects to the origin before it opens a tunnel, and refuses the tunnel if it cannot"

UNSUPPORTED_IN_TUNNELS = {
    "an unsafe request to an origin that cannot be reached gets a 502": EAGER,
    "an unsafe request that mitmproxy forwards to an origin that cannot be reached gets a 502": EAGER,
    "the origin cannot be reached and nothing is stored: 502 with the reason as text and in Proxy-Status": EAGER,
}
"""The same, for conversations in tunnels of an eager mitmproxy."""

UNSUPPORTED_OVER_HTTP2 = {"a header section that is too large: 502, and nothing is stored": LENIENT}
"""The same, for clients with HTTP/2."""

pytestmark = pytest.mark.filterwarnings(
    # mitmproxy leaves connections that have ended to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


class EmbeddedRunner:
    """Runs conversations inside one mitmproxy, on one event loop."""

    def __init__(self, loop: asyncio.Runner) -> None:
        self.services = EmbeddedPool()
        self._loop = loop

    def run(self, conversation: Conversation, protocol: Protocol, **options: str) -> None:
        """Run a conversation, with options of mitmproxy."""
        self.services.options = options
        lane = ServerLane(self.services, protocol, f"embedded-{protocol}")
        self._loop.run(run_conversation(as_mitmproxy_fails(conversation), lane))


@pytest.fixture(scope="module")
def lanes() -> Iterator[EmbeddedRunner]:
    with pytest.MonkeyPatch.context() as environment, asyncio.Runner() as loop:
        # reading the system's trust store takes longer than most conversations
        environment.setenv("SSL_CERT_FILE", os.devnull)
        environment.setenv("SSL_CERT_DIR", os.devnull)
        lanes = EmbeddedRunner(loop)
        yield lanes
        loop.run(lanes.services.close())
    del lanes
    gc.collect()  # while what mitmproxy leaves to it is ignored; the next test would be blamed for it


def as_mitmproxy_fails(conversation: Conversation) -> Conversation:
    """Return a conversation with mitmproxy's own error in place of the cache's for a failed fetch without a copy."""
    return replace(conversation, steps=tuple(map(_as_mitmproxy_fails, conversation.steps)))


def _as_mitmproxy_fails(step: Step) -> Step:
    match step:
        case Answer(body=str(body)) if body.endswith("reason: fetch-failed\n"):
            return replace(step, status="502", fields=(), body=None)
    return step


def each(lane: str) -> pytest.MarkDecorator:
    impossible = UNSUPPORTED | {"https": UNSUPPORTED_IN_TUNNELS, "http2": UNSUPPORTED_OVER_HTTP2}.get(lane, {})
    possible = [each for each in CONVERSATIONS if each.title not in impossible]
    supported = [each for each in possible if not reason_unsupported(each, lane)]
    return pytest.mark.parametrize("conversation", supported, ids=str)


@each("http")
def test_in_clear(conversation: Conversation, lanes: EmbeddedRunner, caplog: pytest.LogCaptureFixture) -> None:
    lanes.run(conversation, "http")
    assert not logged_errors(caplog)


@each("https")
def test_in_a_tunnel(conversation: Conversation, lanes: EmbeddedRunner, caplog: pytest.LogCaptureFixture) -> None:
    lanes.run(conversation, "https")
    assert not logged_errors(caplog)


# mitmproxy would learn before its handshake with the client that this origin has no HTTP/2
LAZY = {"connection_strategy": "lazy"}


@each("http2")
def test_over_http2(conversation: Conversation, lanes: EmbeddedRunner, caplog: pytest.LogCaptureFixture) -> None:
    lanes.run(conversation, "http2", **LAZY)
    assert not logged_errors(caplog)
