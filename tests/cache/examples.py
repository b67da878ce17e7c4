"""Requests, stored responses and outcomes for the tests of `cache/`."""

from __future__ import annotations

from typing import Any

from cache.engine import on_request, on_response
from cache.engine.decisions import Forward, Relay, Store
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse
from tests.fixtures.strategies import BEGINNING

NOW = BEGINNING
"""Mon, 23 Nov 2026 12:00:00 GMT."""

NOW_DATE = "Mon, 23 Nov 2026 12:00:00 GMT"

DATE = ("Date", NOW_DATE)

SECOND_BEFORE = ("Last-Modified", "Mon, 23 Nov 2026 11:59:59 GMT")
"""A second before DATE: a strong validator (RFC 9110 §8.8.2.2)."""

SAME_SECOND = ("Last-Modified", NOW_DATE)
"""In the second of DATE: a weak validator."""


def request(*fields: tuple[str, str], method: str = "GET", target: str = "/", **changes: Any) -> Request:
    """Return a request for http://a.example/."""
    given: dict[str, Any] = {"scheme": "http", "host": "a.example", "port": 80, "fields": Fields(fields)}
    return Request(method=method, target=target, **{**given, **changes})


def stored(*fields: tuple[str, str], status: int = 200, at: float = NOW, **changes: Any) -> StoredResponse:
    """Return a stored response to a GET of http://a.example/, requested and received at the time `at`."""
    given: dict[str, Any] = {
        "id": "0" * 32,
        "key": "http://a.example/",
        "method": "GET",
        "target": "http://a.example/",
        "head": Response(status, "", Fields(fields)),
        "request_time": at,
        "response_time": at,
        "stored_at": at,
    }
    return StoredResponse(**{**given, **changes})


def outcome(
    policy: CachePolicy, request: Request, *fields: tuple[str, str], status: int = 200, now: float = NOW
) -> Store | Relay:
    """Return the engine's decision about a response to a request that was forwarded while nothing was stored."""
    sent = on_request(request, (), policy, now)
    assert isinstance(sent, Forward)
    received = Received(Response(status, "", Fields(fields)), now, now)
    decision = on_response(request, sent, received, policy, "0" * 32)
    assert isinstance(decision, Store | Relay)
    return decision


def entry_of(policy: CachePolicy, request: Request, *fields: tuple[str, str]) -> StoredResponse:
    """Return the entry by which the response to a request is stored."""
    decision = outcome(policy, request, *fields)
    assert isinstance(decision, Store)
    return decision.entry
