"""Errors that this proxy makes itself, its redirects and its set-up page, as replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus

from addon.origin import FailureKind, OriginFailure
from addon.pipeline.reply import Reply
from addon.runtime.counters import Counters
from cache import engine
from cache.answer.compose import error_response
from cache.answer.responses import ErrorParameters
from cache.engine.decisions import Refuse
from cache.http.fields import imf_date
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Refused


class ErrorReplies:
    """Makes replies of errors and of the set-up page, and counts them."""

    def __init__(self, policy: Callable[[], CachePolicy], clock: Callable[[], float], counters: Counters) -> None:
        """Make errors in the name that `policy` gives this cache, dated by `clock` (seconds since the epoch)."""
        self._policy = policy
        self._clock = clock
        self._counters = counters

    def refuse(self, refuse: Refuse) -> Reply:
        """Return the error that the engine decided on."""
        self._counters.count(f"refused.{refuse.reason}")
        return Reply(refuse.response.head, refuse.response.content, refused=refuse.reason)

    def malformed_request(self, sentence: str, status: int = 400) -> Reply:
        """Return the error for a request that cannot be trusted."""
        return self.error(status, Refused.MALFORMED_REQUEST, sentence, "http_request_error")

    def origin_failed(self, failure: OriginFailure) -> Reply:
        """Return the error for an origin response that ended before any byte of it was sent to the client."""
        status = engine.status_of_failure(failure.kind)
        reason = Refused.TARGET if failure.kind is FailureKind.DESTINATION_IP_PROHIBITED else Refused.FETCH_FAILED
        return self.error(status, reason, failure.detail, failure.kind, parameters=failure.parameters)

    def gave_up(self, sentence: str) -> Reply:
        """Return the error for a request whose exchanges with the origin led to nothing."""
        return self.error(502, Refused.GAVE_UP, sentence, "http_protocol_error")

    def error(
        self,
        status: int,
        reason: Refused,
        sentence: str,
        error: str,
        *,
        parameters: ErrorParameters = (),
        fields: Sequence[tuple[str, str]] = (),
    ) -> Reply:
        """Return an error with this status, and with further fields.

        `error` is the type for Proxy-Status (RFC 9209 §2.3).
        """
        policy, now = self._policy(), self._clock()
        answer = error_response(status, reason, sentence, policy, now, error=error, parameters=parameters)
        if fields:
            answer = replace(answer, head=replace(answer.head, fields=answer.head.fields.appending(*fields)))
        return self.refuse(Refuse(answer, reason))

    def set_up_page(self, content: bytes, fields: Sequence[tuple[str, str]], *, head_only: bool) -> Reply:
        """Return a 200 with content of the set-up page. `head_only`: its head alone, in response to HEAD."""
        self._counters.count("set_up_page")
        lines = (("Date", imf_date(self._clock())), *fields, ("Content-Length", str(len(content))))
        return Reply(Response(200, HTTPStatus.OK.phrase, Fields(lines)), b"" if head_only else content)
