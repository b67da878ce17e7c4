"""The interface of a lane: a way through the program in which a conversation is played."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from cache.rules.stored_response import StoredResponse
from tests.lanes.manual_clock import ManualClock
from tests.lanes.messages import ClientRequest, ClientResponse, OriginRequest, OriginResponse
from tests.lanes.script import Conversation, Then


class ProxyUnderTest(Protocol):
    """The proxy, or a part of it, during one conversation: with an empty store, clients, and an origin.

    Attributes:
        clock: The clock of the proxy.
        scheme: The scheme of the conversation's URLs.
        authority: Host and port of the origin.
        instance: The name of this proxy in Via.
    """

    clock: ManualClock
    scheme: str
    authority: str
    instance: str

    async def send_request(self, client: str, request: ClientRequest) -> None:
        """Send a request of a client."""

    async def receive_response(self, client: str) -> ClientResponse:
        """Wait for the response to a client's request."""

    async def disconnect(self, client: str) -> None:
        """Close a client's connection once a part of the response has arrived."""

    async def settle(self) -> None:
        """Wait until every request is as far as it can get without the origin."""

    @property
    def origin_has_request(self) -> bool:
        """Return whether a request waits at the origin for a step of the conversation."""

    async def next_origin_request(self) -> OriginRequest:
        """Wait for the next request at the origin. The origin's next response is the response to it."""

    async def respond(self, response: OriginResponse) -> None:
        """Send a response from the origin."""

    async def respond_with_bytes(self, data: bytes, then: Then) -> None:
        """Send bytes from the origin in place of a response."""

    async def continue_response(self, body: bytes, then: Then) -> None:
        """Send more of a response that the origin has begun."""

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        """End the exchange at the origin without a response."""

    async def stop_origin(self) -> None:
        """Make the origin refuse connections."""

    async def restart_origin(self) -> None:
        """Make the origin accept connections again."""

    async def purge(self, path: str, *, soft: bool) -> None:
        """Purge a URL."""

    def go_offline(self) -> None:
        """Take the proxy offline for the rest of the conversation."""

    def follow_clock(self) -> None:
        """Compare the proxy's clock with the wall clock."""

    def invalidate_clock(self) -> None:
        """Make the machine's clock wrong, as far as the proxy can tell, for the rest of the conversation."""

    async def wait_for_count(self, counter: str, by: int) -> None:
        """Wait until a counter has risen by this number since the conversation began."""

    def stored(self) -> tuple[StoredResponse, ...]:
        """Return every stored response."""


class Lane(Protocol):
    """A way through the program. `open` prepares the proxy for one conversation."""

    name: str

    def open(self, conversation: Conversation) -> AbstractAsyncContextManager[ProxyUnderTest]:
        """Return the proxy under test, with the settings of the conversation."""
