"""The handshake of WebSocket with an origin (RFC 6455 §4): the fields that are sent, and the 101 that is accepted."""

from __future__ import annotations

import secrets
from base64 import b64encode
from hashlib import sha1

from cache.http.fields import tokens
from cache.http.messages import Fields, Response

KEY, ACCEPT = "Sec-WebSocket-Key", "Sec-WebSocket-Accept"

SWITCH = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
"""The fields of one connection in a request for WebSocket, and in the 101 that agrees to it."""

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 §1.3."""

_KEY_LENGTH = 16


def new_key() -> str:
    """Return a key for one handshake."""
    return b64encode(secrets.token_bytes(_KEY_LENGTH)).decode("ascii")


def accept_for(key: str) -> str:
    """Return the value of Sec-WebSocket-Accept that answers a key."""
    return b64encode(sha1(f"{key}{_GUID}".encode("latin-1"), usedforsecurity=False).digest()).decode("ascii")


def handshake_fields(fields: Fields, key: str | None) -> Fields:
    """Return the fields of a request that asks for WebSocket, with `key` in place of the client's unless it is None."""
    if key is not None:
        fields = fields.replacing(KEY, key)
    return fields.appending(*SWITCH)


def fault_in_switch(response: Response, key: str | None) -> str | None:
    """Return what is wrong with a 101, as the predicate of a sentence, or None (RFC 6455 §4.1).

    Without `key`, the client has sent none: it has to know itself what it does.
    """
    fields = response.fields
    if [*tokens(fields.get("upgrade"))] != ["websocket"] or "upgrade" not in tokens(fields.get("connection")):
        return "switched to another protocol than WebSocket"
    accepts = fields.all(ACCEPT)
    if len(accepts) != 1 or (key is not None and accepts[0] != accept_for(key)):
        return "switched to WebSocket without answering the key of the handshake"
    return None
