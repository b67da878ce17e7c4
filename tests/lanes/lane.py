"""What a lane has to do, so that every conversation can be played in it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from cache.rules.stored_response import StoredResponse
from tests.lanes.messages import Asked, Heard, Reply, Seen
from tests.lanes.script import Conversation, Then
from tests.lanes.time import Time


class Stage(Protocol):
    """One conversation under way: a proxy with an empty store, its clients, and an origin."""

    time: Time
    scheme: str
    authority: str
    instance: str

    async def ask(self, client: str, asked: Asked) -> None:
        """Send a client's request."""

    async def heard(self, client: str) -> Heard:
        """Wait for what a client is answered."""

    async def leave(self, client: str) -> None:
        """Let a client go in the middle of its answer."""

    async def waits(self) -> None:
        """Let every request get as far as it can."""

    @property
    def origin_is_asked(self) -> bool:
        """Tell whether a request waits at the origin that no line has answered yet."""

    async def seen(self) -> Seen:
        """Wait for the next request at the origin; what it sends from now on is the answer to that."""

    async def send(self, reply: Reply) -> None:
        """Answer at the origin."""

    async def send_octets(self, octets: bytes, then: Then) -> None:
        """Answer at the origin with octets."""

    async def go_on(self, body: bytes, then: Then) -> None:
        """Send more of what was begun."""

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        """Give no answer."""

    async def origin_goes(self) -> None:
        """Let nobody listen at the origin."""

    async def origin_returns(self) -> None:
        """Let the origin listen again."""

    async def purge(self, path: str) -> None:
        """Purge a URL."""

    def go_offline(self) -> None:
        """Take the proxy offline, for the rest of the conversation."""

    def lose_clock(self) -> None:
        """Take the clock for one that cannot be right, for the rest of the conversation."""

    async def counted(self, counter: str, by: int) -> None:
        """Wait until a counter has risen by that much since the conversation began."""

    def stored(self) -> tuple[StoredResponse, ...]:
        """Return everything in the store."""


class Lane(Protocol):
    """One way through the product."""

    name: str

    def stage(self, conversation: Conversation) -> AbstractAsyncContextManager[Stage]:
        """Set the stage for a conversation."""
