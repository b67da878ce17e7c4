"""Gives a flow the response head that the cache presents, and tells whether other addons changed the response.

A 200 that another addon has changed is not what the origin sent, so it goes out as 203 (RFC 9110 §7.7, §15.3.4), as one
that an annotation rule has changed does.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from mitmproxy import http

from addon.frontend.mitm.messages import fields_of, headers_of
from cache.answer.compose import NO_CONTENT, status_of_changed_200
from cache.http.field_table import FRAMING, end_to_end
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy

_OK_OR_COPY = (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION)

_HEAD_ONLY = FRAMING | {"trailer"}
"""Fields by which mitmproxy frames a message, so they stay in a message that it carries."""


@dataclass(slots=True)
class Presentation:
    """A response as the cache gave it to mitmproxy, before other addons saw it."""

    request: Request
    origin_fields: Fields
    """The fields by which it is decided whether a client can take a 203."""
    status: int
    fields: Fields
    content: bytes | None = None
    """None as long as it has not arrived, or if it is streamed."""


def present(request: Request, response: http.Response, head: Response) -> Presentation:
    """Give a response that mitmproxy receives the head that the cache presents, and return what was presented."""
    origin_fields = fields_of(response.headers)
    framing = [] if head.status in NO_CONTENT else [line for line in origin_fields if line[0].lower() in FRAMING]
    fields = head.fields.appending(*(line for line in framing if line[0] not in head.fields))
    if response.is_http2 or response.is_http3:
        fields = Fields(tuple((name.lower(), value) for name, value in fields))
    response.status_code, response.reason = head.status, head.reason
    response.headers = headers_of(fields)
    return Presentation(request, origin_fields, head.status, fields)


def mark_changes(response: http.Response, presented: Presentation, policy: CachePolicy) -> None:
    """Give a 200 the status 203 if another addon has changed it, and the client can take that."""
    # a 203 that an addon has replaced by a 200 is a changed 200 as well
    is_200 = response.status_code == HTTPStatus.OK and presented.status in _OK_OR_COPY
    if is_200 and presented.request.method in ("GET", "HEAD") and _is_changed(response, presented):
        status, _ = status_of_changed_200(presented.request, presented.origin_fields, policy)
        if status != response.status_code:
            response.status_code, response.reason = status, HTTPStatus(status).phrase


def _is_changed(response: http.Response, presented: Presentation) -> bool:
    if _shown(fields_of(response.headers)) != _shown(presented.fields):
        return True
    if response.stream:
        return callable(response.stream)  # nobody knows what another addon's function does with the content
    return presented.content is not None and response.raw_content != presented.content


def _shown(fields: Fields) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in end_to_end(fields).without(_HEAD_ONLY)]
