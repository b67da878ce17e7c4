"""The law of this product: which status and which metainformation an answer may claim.

What comes from a copy, and the origin would have answered with 200, goes out as 203; so does a relayed 200 whose
metainformation was changed here. Every other status passes through. Nothing else in the project decides a status.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus

from cache.answer.annotations import annotated, known_of_copy, known_of_relayed
from cache.answer.answers import CopyAnswer, OwnAnswer, RelayedAnswer
from cache.answer.cache_status import Handling, member
from cache.answer.client_exceptions import exemption
from cache.answer.partial_content import partial, stored
from cache.http.field_table import end_to_end, row
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, Refused
from cache.policy.rules import AnswerStatus
from cache.rules.freshness import current_age, directives_of
from cache.rules.mementos import told
from cache.rules.ranges import Unsatisfiable, requested_parts
from cache.rules.stored_fields import dated
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import not_modified

NO_CONTENT = frozenset({204, 205, 304})
"""Answers that never have content (RFC 9110 §15.3.5, §15.3.6, §15.4.5)."""


# ---- the status


def status_of_changed_200(request: Request, fields: Fields, policy: CachePolicy) -> tuple[int, str | None]:
    """Return 203, or 200 and the reason's name where an exception holds; `fields` are the definitive ones."""
    wanted = _answer_status(request, policy)
    if wanted is AnswerStatus.ORIGIN:
        return 200, None
    if '"@status"' in (fields.get("signature-input") or ""):  # RFC 9421 §2.2.9: another status breaks it
        return 200, Detail.SIGNED_STATUS
    reason = exemption(request, fields, policy) if wanted is AnswerStatus.AUTO else None
    return (200, reason) if reason else (203, None)


def _answer_status(request: Request, policy: CachePolicy) -> AnswerStatus:
    user_agent, path = request.fields.get("user-agent") or "", request.target.partition("?")[0]
    for rule in policy.presentation.status_rules:
        if rule.host.fullmatch(request.host) and rule.path.fullmatch(path) and rule.user_agent.search(user_agent):
            return rule.status
    return policy.presentation.status


# ---- answers from a copy


def from_copy(
    request: Request,
    entry: StoredResponse,
    handling: Handling,
    policy: CachePolicy,
    now: float,
    *,
    validated: bool = False,
    memento: bool = False,
) -> CopyAnswer:
    """Return the answer that a stored response gives to a request, in the form the client's own fields ask for.

    `validated` says that the origin confirmed it in this very exchange, `memento` that it was chosen as a state of
    the past; `now` is in seconds since the epoch.
    """
    fields = told(entry, _presented(request, entry, policy, now, validated=validated), policy, memento=memento)
    parts = requested_parts(request, entry)
    if not_modified(request, entry):  # RFC 9110 §13.2.2: before Range
        answer = CopyAnswer(Response(304, "Not Modified", _without_representation(fields)))
    elif isinstance(parts, Unsatisfiable):
        unsatisfied = ("Content-Range", f"bytes */{entry.total}"), ("Content-Length", "0")
        answer = CopyAnswer(Response(416, _phrase(416), _without_representation(fields).appending(*unsatisfied)))
    elif parts:
        answer = partial(entry, parts, fields)
    else:
        answer = _whole(request, entry, fields, policy)
    head = _signed(answer.head, answer.exemption, handling, policy, entry.head.version)
    return CopyAnswer(head, answer.content, answer.exemption)


def _whole(request: Request, entry: StoredResponse, fields: Fields, policy: CachePolicy) -> CopyAnswer:
    status, phrase, exception = entry.head.status, entry.head.reason, None
    if status == 200:
        status, exception = status_of_changed_200(request, entry.head.fields, policy)
        phrase = phrase if status == 200 else _phrase(status)
        if entry.method != "HEAD" and not entry.scrubbed and "accept-ranges" not in fields:
            fields = fields.appending(("Accept-Ranges", "bytes"))
    if entry.method != "HEAD" and status not in NO_CONTENT and fields.get("content-length") != str(entry.total):
        fields = fields.replacing("Content-Length", str(entry.total))
    fields = _without_content(status, fields)
    silent = request.method == "HEAD" or status in NO_CONTENT
    return CopyAnswer(Response(status, phrase, fields), () if silent else stored(entry, 0, entry.total), exception)


def _without_representation(fields: Fields) -> Fields:
    """Return what a 304 or 416 carries: Last-Modified only where no entity tag does its work (RFC 9110 §15.4.5)."""
    keep = "last-modified" if "etag" not in fields else ""
    return fields.without([name for name, _ in fields if row(name).representation and name.lower() != keep])


def _presented(request: Request, entry: StoredResponse, policy: CachePolicy, now: float, *, validated: bool) -> Fields:
    """Return the definitive fields as this answer presents them, before what its form adds."""
    age, fields = current_age(entry, policy, now), entry.head.fields.without(_kept_back(policy))
    if not validated:
        fields = fields.without(directives_of(entry, policy).no_cache_fields)  # RFC 9111 §5.2.2.4
    if entry.head.status == 200 and policy.presentation.annotations:
        fields = annotated(request, fields, known_of_copy(request, entry, age), policy)
    # RFC 9111 §5.1: no Age says "made for this request", which a validated answer nearly is
    if not validated or "age" in fields:
        fields = fields.replacing("Age", str(math.floor(age)))
    return fields


@lru_cache(maxsize=512)
def _passed_on(fields: Fields, kept_back: tuple[str, ...]) -> Fields:
    # trailers have a place of their own, so they are not announced with the head
    return end_to_end(fields).without(["trailer", *kept_back])


def _kept_back(policy: CachePolicy) -> tuple[str, ...]:
    """Return the fields that were meant for this cache alone (RFC 9213 §2.2)."""
    return policy.targeted_fields if policy.presentation.strip_targeted else ()


# ---- relayed answers


def relayed(
    request: Request, response: Response, handling: Handling | None, policy: CachePolicy, response_time: float
) -> RelayedAnswer:
    """Return the origin's answer as it is passed on; its status stays unless a local rule changed a 200.

    `handling` None leaves Cache-Status out; `response_time` (seconds since the epoch) stands in for a missing Date.
    """
    fields = dated(_passed_on(response.fields, _kept_back(policy)), response_time)
    status, phrase, exception = response.status, response.reason, None
    if policy.presentation.annotations and status == 200 and request.method in ("GET", "HEAD"):
        known = known_of_relayed(request, status)
        if (changed := annotated(request, fields, known, policy)) is not fields:
            status, exception = status_of_changed_200(request, fields, policy)
            phrase, fields = phrase if status == 200 else _phrase(status), changed
    fields = _without_content(status, fields)
    head = _signed(Response(status, phrase, fields), exception, handling, policy, response.version)
    return RelayedAnswer(head, request.method != "HEAD" and status not in NO_CONTENT, exception)


# ---- errors of our own


def error_response(
    status: int, reason: Refused, sentence: str, policy: CachePolicy, now: float, error: str | None = None
) -> OwnAnswer:
    """Return an error that this proxy makes itself: never a 203, never stored, no Cache-Status (ledger META-14).

    `error` is a type of RFC 9209 §2.3, told in Proxy-Status.
    """
    text = f"{sentence}\nreason: {reason}\n".encode()
    quoted = sentence.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    printable = "".join(character if character.isprintable() else " " for character in quoted)
    kind = f"; error={error}" if error else ""
    fields = Fields(
        (
            ("Date", imf_date(now)),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
            ("Cache-Control", "no-store"),
            ("Proxy-Status", f'{policy.identity.name}{kind}; details="{printable}"'),
        )
    )
    return OwnAnswer(Response(status, _phrase(status), fields), text)


def _signed(
    head: Response, exemption: str | None, handling: Handling | None, policy: CachePolicy, version: str
) -> Response:
    """Return a head with Via and, appended last, Cache-Status (RFC 9110 §7.6.3, RFC 9211 §2)."""
    lines = [("Via", f"{version.removeprefix('HTTP/')} {policy.identity.name}")]
    if handling is not None and policy.presentation.cache_status:
        told = replace(handling, detail=exemption) if exemption else handling
        lines.append(("Cache-Status", member(policy.identity.name, told, head.status)))
    return Response(head.status, head.reason, head.fields.appending(*lines), head.version)


def _without_content(status: int, fields: Fields) -> Fields:
    """Return the fields with the framing that a status without content asks for."""
    if status == 204:
        return fields.without(["content-length"])  # RFC 9110 §8.6
    return fields.replacing("Content-Length", "0") if status == 205 else fields  # RFC 9110 §15.3.6


@lru_cache(maxsize=64)
def _phrase(status: int) -> str:
    # RFC 9110 §15.5.17; Python 3.12 still has the phrase of RFC 2616
    return "Range Not Satisfiable" if status == 416 else HTTPStatus(status).phrase
