"""The sender of the requests on one HTTP/1 connection: the peer itself, or the clients that it is a proxy for."""

from __future__ import annotations

from addon.frontend.gateway.forwarding import Forwarding, view_prefix, without_client
from cache.http.client import Client


class Sender:
    """Knows who has sent the request at hand.

    Attributes:
        client: The client that the request at hand is from, at an edge.
        is_trusted: The peer is a trusted proxy, and its requests are from many clients.
    """

    __slots__ = ("_forwarding", "_prefix", "_unread", "client", "is_trusted", "peer")

    def __init__(self, peer: str, forwarding: Forwarding | None, prefix: bytes) -> None:
        """Read the requests of a peer.

        Args:
            peer: Its address.
            forwarding: Finds out who the clients of an edge are; None for a forward proxy.
            prefix: Bytes that tell equal request heads apart which go to different origins.
        """
        self.peer = peer
        self.client: Client | None = None
        self._forwarding = forwarding
        self.is_trusted = forwarding is not None and peer in forwarding.trusted
        self._prefix = b"\t" + prefix if self.is_trusted else prefix
        self._unread = b""
        """The head of the request at hand, until its client is asked for."""

    def name(self, head: bytes) -> bytes:
        """Return the name of a request at hand, by its head: equal requests of several clients have the same name.

        `head` may be any bytes. Only for bytes that are one whole head, the name is one of a request.
        """
        self._unread = head
        if self._forwarding is None or head.find(b"\r\n\r\n") + 4 != len(head):
            return self._prefix + head
        return self._prefix + without_client(head)

    def read(self, head: bytes) -> tuple[bytes, bytes]:
        """Return a head without the fields that say who its client is, and what tells it apart from equal heads."""
        if self._forwarding is None:
            return head, self._prefix
        self._unread = b""
        kept, self.client = self._forwarding.from_head(head, self.peer)
        return kept, view_prefix(self.client) + self._prefix

    def address(self) -> str:
        """Return the address of the client that the request at hand is from."""
        if self._unread and self._forwarding is not None:
            self.read(self._unread)
        return (self.client.address if self.client is not None else "") or self.peer
