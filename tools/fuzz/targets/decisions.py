"""The engine: any fields of request and response lead to decisions, and what is served keeps to the stored content."""

from __future__ import annotations

from dataclasses import replace

from cache.answer.responses import CopyResponse
from cache.engine.decisions import Forward, Refuse, Serve, Store, Validate
from cache.engine.on_request import on_request
from cache.engine.on_response import on_failure, on_response
from cache.http import fields as parsers
from cache.http.cache_control import response_directives
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.rules.freshness import current_age
from cache.rules.stored_response import StoredResponse
from tools.fuzz.messages import sections
from tools.fuzz.pieces import repeated

TOKENS = [
    *(b"\n\n", b"Age: ", b"Cache-Control: ", b"max-age=60", b"Date: Mon, 23 Nov 2026 12:00:00 GMT", b"Expires: "),
    *(b'ETag: "a"', b'If-None-Match: "a"', b"If-Modified-Since: ", b"Last-Modified: ", b"Range: bytes=0-1", b"Via: "),
    *(b"Vary: ", b"Content-Range: bytes 0-1/2", b"Content-Encoding: gzip", b"Authorization: ", b"Set-Cookie: a=b"),
    *(b"Connection: ", b"Upgrade: ", b"Warning: ", b"Pragma: no-cache", b"Content-Digest: ", b"Accept-Datetime: "),
]

NOW = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT."""

POLICIES = [
    CachePolicy(keying=KeyPolicy(credential_key=bytes(32))),
    CachePolicy(keying=KeyPolicy(credential_key=bytes(32), no_vary_search=True)),
]

CONTENT_LENGTH = 1000


def check(data: bytes) -> None:
    """Ask twice: the sections are the fields of a request, of its response, of another request and its response."""
    for each in (data, repeated(data)):
        if each is not None:
            first, response_fields, second, validation = sections(each, 4)
            for policy in POLICIES:
                for status in (200, 206, 404):
                    _check(first, Response(status, "", response_fields), second, validation, policy)


def _check(first: Fields, response: Response, second: Fields, validation: Fields, policy: CachePolicy) -> None:
    request = Request("GET", "http", "a.example", 80, "/a?b", fields=first)
    decision = on_request(request, [], policy, NOW)
    if not isinstance(decision, Forward):
        assert isinstance(decision, Refuse)
        return
    outcome = on_response(request, decision, Received(response, NOW, NOW + 1), policy, "0" * 32)
    if not isinstance(outcome, Store):
        return
    directives = response_directives(response.fields)
    assert not directives.no_store
    entry = outcome.entry.with_body(CONTENT_LENGTH, "0" * 64)
    assert "connection" not in entry.head.fields
    for seconds in (2, 100, 10**6):
        _ask_again(request.with_fields(second), entry, validation, policy, NOW + seconds)


def _ask_again(request: Request, entry: StoredResponse, validation: Fields, policy: CachePolicy, now: float) -> None:
    assert current_age(entry, policy, now) >= 0
    decision = on_request(request, [entry], policy, now)
    if isinstance(decision, Serve):
        _check_copy(decision.response, entry)
    if not isinstance(decision, Forward | Validate):
        return
    on_failure(request, decision, policy, now, error="connection_refused", sentence="It is down.", disconnected=True)
    for status in (200, 304, 503):
        received = Received(Response(status, "", validation), now, now)
        outcome = on_response(request, decision, received, policy, "1" * 32)
        if isinstance(outcome, Serve):
            _check_copy(outcome.response, entry)


def _check_copy(response: CopyResponse, entry: StoredResponse) -> None:
    fields = response.head.fields
    assert response.head.status != 200 or entry.head.status != 200
    assert len(fields.all("age")) == 1
    assert (parsers.delta_seconds(fields.get("age") or "") or 0) >= 0
    assert len(fields.all("content-length")) <= 1
    assert replace(entry, invalid=False).total >= entry.length
