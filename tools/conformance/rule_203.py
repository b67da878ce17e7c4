"""The 203 rule, checked over a recorded run: which status each response may have, given where it came from.

A response from a stored 200 is a 203; a relayed response keeps the origin's status. The origin's log tells where a
response came from: it came from the store if the origin got no request in this exchange, if it answered 304, or if it
sent another response than the client got. Statements of the proxy itself (Cache-Status, for example) are not used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.conformance.recording import Exchange, OriginRequest, Recording
from tools.conformance.run import AnswerStatus

CONDITIONS = {"if-none-match", "if-modified-since"}
OWN_ERRORS = {400, 502, 504}
"""Statuses of responses that the proxy makes itself, with neither fields nor content of the origin."""


@dataclass(frozen=True)
class Classification:
    """The source of a response, and the statuses that it may have then."""

    source: str
    allowed: frozenset[int]


def classify(exchange: Exchange, test_requests: Sequence[OriginRequest], answer: AnswerStatus) -> Classification:
    """Return where the response of an exchange came from. `test_requests`: what the origin got in the same test."""
    matching = [each for each in test_requests if _belongs_to(each, exchange)]
    last = next((each for each in reversed(matching) if each.status is not None), None)
    conditional = CONDITIONS & exchange.fields.keys()
    if last and last.status == 304 and exchange.status == 304:
        return Classification("relayed", frozenset({304} if conditional else ()))
    if last and last.status is not None and last.status != 304 and last.count == exchange.count:
        return Classification("relayed", frozenset({last.status}))
    if exchange.count is not None:
        return Classification("copy", _allowed_from_copy(_stored_status(exchange, test_requests), exchange, answer))
    if exchange.status in (304, 416):
        return Classification("copy", _requested_by_client(exchange))
    return Classification("own error", frozenset(OWN_ERRORS))


def _belongs_to(request: OriginRequest, exchange: Exchange) -> bool:
    """Compare method and number: the suite numbers its requests; a background revalidation may have no number."""
    return (request.method, request.fields.get("req-num")) == (exchange.method, exchange.fields.get("req-num"))


def _stored_status(exchange: Exchange, test_requests: Sequence[OriginRequest]) -> int:
    """Return the status with which a copy was stored: a 304 or a response to HEAD may have updated it since then."""
    updated = next(each for each in test_requests if each.count == exchange.count)
    return next(
        each.status
        for each in reversed(test_requests[: test_requests.index(updated) + 1])
        if each.target == updated.target and each.method != "HEAD" and each.status not in (None, 304)
    )


def _allowed_from_copy(stored: int, exchange: Exchange, answer: AnswerStatus) -> frozenset[int]:
    # a 206 was stored as a part of a 200 (RFC 9111 §3.3)
    status = 200 if stored == 206 else stored
    if status == 200:
        return frozenset({203 if answer == "always" else 200}) | _requested_by_client(exchange)
    # RFC 9110 §13.2.1: a precondition counts if the response without it would be a 2xx
    return frozenset({status}) | (_requested_by_client(exchange) & {304} if 200 <= status < 300 else frozenset())


def _requested_by_client(exchange: Exchange) -> frozenset[int]:
    """Return the statuses that the client allowed with a precondition or a Range of its own."""
    conditional = {304} if CONDITIONS & exchange.fields.keys() else set()
    ranged = {206, 416} if "range" in exchange.fields else set()
    return frozenset(conditional | ranged)


def violations(recording: Recording, answer: AnswerStatus) -> tuple[list[str], Counter[str]]:
    """Return a description of each response that violates the rule, and the number of responses of each kind."""
    found, counts = [], Counter[str]()
    for exchange in recording.exchanges:
        classification = classify(exchange, recording.test_requests(exchange), answer)
        if exchange.status not in classification.allowed:
            found.append(f"{exchange}, {classification.source}: expected {_alternatives(classification.allowed)}")
        counts[_kind(classification, exchange)] += 1
    return found, counts


def _kind(classification: Classification, exchange: Exchange) -> str:
    return classification.source if classification.source != "copy" else f"{exchange.status} from a copy"


def _alternatives(statuses: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(statuses))) or "another status"
