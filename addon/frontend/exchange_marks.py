"""Fields that each response has for itself: the id of its request, and where the time went.

They differ among equal responses. So while one of them is on, the policy allows no shortcuts, and every request is
answered by a handler, which adds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from addon.config.settings import AnswerSettings
from addon.pipeline.reply import Reply
from addon.runtime.access_log.logged_response import LoggedResponse, new_request_id
from cache.http.messages import Request

REQUEST_ID = "X-Request-Id"

_VALID_ID = re.compile(r"[A-Za-z0-9_.:/+=@-]{1,128}")


@dataclass(frozen=True, slots=True)
class ExchangeMarks:
    """The fields that the operator wants."""

    request_id: bool = False
    """Each request has an id: the origin and the client get it in X-Request-Id, and the access log has it."""
    server_timing: bool = False
    """Clients get Server-Timing: what the cache did, and how long the origin took (W3C Server Timing)."""

    @staticmethod
    def of(settings: AnswerSettings) -> ExchangeMarks:
        """Return those that the settings name."""
        return ExchangeMarks(settings.request_id, settings.server_timing)

    def request(self, request: Request, *, trusted: bool) -> Request:
        """Return a request with its id; one that it has already stays if a `trusted` proxy has sent it."""
        if not self.request_id:
            return request
        given = request.fields.get(REQUEST_ID) or ""
        if trusted and _VALID_ID.fullmatch(given):
            return request
        return request.with_fields(request.fields.replacing(REQUEST_ID, new_request_id()))

    def id_of(self, request: Request | None) -> str:
        """Return the id of a request that `request` has returned; empty if there is none."""
        return (request.fields.get(REQUEST_ID) or "") if self.request_id and request is not None else ""

    def lines(self, response: LoggedResponse, reply: Reply | None) -> list[tuple[str, str]]:
        """Return the field lines of a response; `reply` is what the cache has made of it, if anything."""
        lines = []
        if name := self.id_of(response.request):
            lines.append((REQUEST_ID, name))
        if self.server_timing:
            lines.append(("Server-Timing", _timing(response, reply)))
        return lines

    def reply(self, request: Request, reply: Reply) -> Reply:
        """Return a reply with its fields."""
        lines = self.lines(reply.logged(0, request), reply)
        if not lines:
            return reply
        head = reply.head
        return replace(reply, head=replace(head, fields=head.fields.without([REQUEST_ID]).appending(*lines)))


NO_MARKS = ExchangeMarks()


def _timing(response: LoggedResponse, reply: Reply | None) -> str:
    parts = [f'cache;desc="{response.result or response.decision or "own"}"']
    times = reply.upstream if reply is not None else None
    if times is not None and times.connect:
        parts.append(f"connect;dur={times.connect * 1000:.1f}")
    if times is not None and (seconds := times.head if times.head is not None else times.whole) is not None:
        parts.append(f"origin;dur={seconds * 1000:.1f}")
    return ", ".join(parts)
