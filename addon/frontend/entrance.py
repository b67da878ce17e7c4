"""Where a connection begins: its client is let in, or is told at once that it is one too many.

Nobody waits for the request of whoever cannot stay: that would be a connection more.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from addon.frontend.http1.frontend import Door
from addon.frontend.http1.response_head import Framing, head_octets
from addon.runtime.access_log import NOT_UNDERSTOOD, line_of
from cache.answer.compose import error_response
from cache.engine.decisions import Refuse
from cache.policy.reasons import Refused

RETRY_AFTER = 10
"""Seconds after which whoever was sent away may find room: as long as a slow head is waited for."""


class Entrance(asyncio.Protocol):
    """A connection that has just been accepted."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the conversation, or end it."""
        accepted = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        trouble = self._door.limits.admit(accepted)
        if trouble is None:
            conversation = self._door.converse(self._door.arrival)
            accepted.set_protocol(conversation)
            conversation.connection_made(accepted)
        else:
            self._send_away(accepted, trouble)

    def _send_away(self, transport: asyncio.Transport, sentence: str) -> None:
        door, reason = self._door, Refused.CONNECTIONS
        # RFC 9209 §2.3.17; connection_limit_reached is for connections to the next hop
        answer = error_response(503, reason, sentence, door.fetcher.policy, door.clock(), error="http_request_denied")
        door.fetcher.reply_builder.refuse(Refuse(answer, reason))  # counts it
        fields = answer.head.fields.appending(("Retry-After", str(RETRY_AFTER)))
        transport.write(head_octets(replace(answer.head, fields=fields), Framing(close=True)) + answer.content)
        transport.close()
        door.note(transport, line_of(NOT_UNDERSTOOD, answer.head.status, len(answer.content)))
