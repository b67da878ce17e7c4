"""Explains what a client gets if the origin is asked and does not answer."""

from __future__ import annotations

from dataclasses import dataclass

from cache.answer.responses import ErrorParameters
from cache.engine.decisions import Refuse, Serve, UpstreamRequest
from cache.engine.on_response import on_failure
from cache.http.cache_control import request_directives
from cache.http.fields import imf_date
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Detail, Refused
from cache.rules.freshness import usable_without_origin_until


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """The latest exchange with an origin, if it failed."""

    error: str
    """The proxy error type of RFC 9209 §2.3."""
    sentence: str
    """A sentence about the failure, for people."""
    disconnected: bool
    """The origin could not be reached at all."""
    at: float
    """The time, in seconds since the epoch."""
    uri: str
    """The URI that was asked for."""
    parameters: ErrorParameters = ()
    """The parameters of the proxy error type."""


def decision_after(
    request: Request, sent: UpstreamRequest, policy: CachePolicy, now: float, failure: KnownFailure
) -> Serve | Refuse:
    """Return the decision about a request if `sent`, the request to the origin for it, fails as an earlier one did.

    `now` is the time, in seconds since the epoch.
    """
    return on_failure(
        request,
        sent,
        policy,
        now,
        error=failure.error,
        sentence=failure.sentence,
        disconnected=failure.disconnected,
        parameters=failure.parameters,
    )


def response_without_origin(
    request: Request, sent: UpstreamRequest, policy: CachePolicy, now: float, failure: KnownFailure | None
) -> str:
    """Return a sentence about the response if the origin does not answer `sent`.

    Args:
        request: The client's request.
        sent: The request that would be sent to the origin for it.
        policy: The policy.
        now: The time, in seconds since the epoch.
        failure: The failure that is expected again; None for an origin that refuses the connection.
    """
    error = failure.error if failure else "connection_refused"
    disconnected = failure is None or failure.disconnected
    outcome = on_failure(request, sent, policy, now, error=error, sentence="", disconnected=disconnected)
    if isinstance(outcome, Serve):
        text = text_of(outcome.detail or Detail.DISCONNECTED)
        until = _until(request, outcome, policy, now, disconnected=disconnected)
        return f"{outcome.response.head.status} from the copy{until}: {text.sentence}"
    status = str(outcome.response.head.status)
    if failure is None and outcome.reason is Refused.FETCH_FAILED:
        status = f"{status}, or 504 after a timeout"
    return f"{status}: {text_of(outcome.reason).sentence}"


def _until(request: Request, outcome: Serve, policy: CachePolicy, now: float, *, disconnected: bool) -> str:
    if outcome.detail is Detail.OVERRIDE_OFFLINE:
        return ""
    directives = request_directives(request.fields)
    end = usable_without_origin_until(outcome.entry, directives, policy, now, disconnected=disconnected)
    return f", until {imf_date(end)}"
