"""Requests that wait for their password to be checked, while the settings change."""

from __future__ import annotations

import asyncio
from pathlib import Path

from addon.frontend.gateway.gates import Refusal
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.refused_requests import admitted
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, parse
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.reply import Reply
from addon.runtime.counters import Counters
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Refused
from cache.policy.site_rules import BasicAuth
from tests.addon.frontend.edge import ask

REQUEST = Request("GET", "http", "a.example", 80, "/")
HEAD = parse(ask("a.example"))
ERRORS = ErrorReplies(CachePolicy, lambda: 0.0, Counters())


def unchecked(tmp_path: Path) -> RefusedRequest:
    """Return a request with a password of a file that no rule names any more."""
    auth = BasicAuth("Preview", str(tmp_path / "users"))
    return RefusedRequest(Refusal(401, Refused.CREDENTIALS, "", unchecked=auth), REQUEST, HEAD)


def test_a_request_that_needs_no_password_any_more_is_answered(tmp_path: Path) -> None:
    assert asyncio.run(admitted(unchecked(tmp_path), Sites(), ERRORS, lambda: REQUEST)) is REQUEST


def test_a_request_that_is_malformed_by_other_settings_is_refused_as_such(tmp_path: Path) -> None:
    def read() -> Request:
        raise MalformedRequest("The request names no host.")

    reply = asyncio.run(admitted(unchecked(tmp_path), Sites(), ERRORS, read))
    assert isinstance(reply, Reply)
    assert (reply.head.status, reply.refused) == (400, Refused.MALFORMED_REQUEST)
