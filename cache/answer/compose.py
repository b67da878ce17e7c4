"""The responses to clients. This file decides every status; nothing else in the project decides one.

The status is:

- 203 for a stored 200, because its metadata comes from a copy and not from the origin;
- 203 for a relayed 200 whose fields an operator's rule has changed;
- 200 in place of such a 203, if the settings, a signature over the status, or a client exception require it;
- 304, 206 or 416 from a stored response, if the client's preconditions or its Range ask for it;
- the stored or the received status in all other cases;
- the error status that the caller passes for an error of this proxy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus

from cache.answer.annotations import annotated, template_values_of_copy, template_values_of_relayed
from cache.answer.cache_status import Handling, member
from cache.answer.partial_content import content_of, partial
from cache.answer.responses import CopyResponse, ErrorParameters, ErrorResponse, RelayedResponse
from cache.answer.status_exemptions import exemption
from cache.answer.transport_security import with_transport_security
from cache.http.field_table import end_to_end, row
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import ANYTHING, AnswerRule, AnswerStatus
from cache.policy.reasons import Detail, Refused
from cache.rules.coded_forms import in_form_for
from cache.rules.freshness import current_age, directives_of
from cache.rules.key import target_uri
from cache.rules.mementos import with_memento_fields
from cache.rules.ranges import Unsatisfiable, requested_parts
from cache.rules.site_requests import effects_of
from cache.rules.site_responses import fields_by_rule
from cache.rules.stored_fields import with_date
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import not_modified

NO_CONTENT = frozenset({204, 205, 304})
"""Status codes of responses that never have content (RFC 9110 §15.3.5, §15.3.6, §15.4.5)."""


# ---- the status


def status_of_changed_200(request: Request, fields: Fields, policy: CachePolicy) -> tuple[int, str | None]:
    """Return 203, or 200 and the name of the reason for it. `fields` are the origin's, without local changes."""
    setting = _status_setting(request, policy)
    if setting is AnswerStatus.ORIGIN:
        return 200, None
    if '"@status"' in (fields.get("signature-input") or ""):  # RFC 9421 §2.2.9: another status would break it
        return 200, Detail.SIGNED_STATUS
    reason = exemption(request, fields, policy) if setting is AnswerStatus.AUTO else None
    return (200, reason) if reason else (203, None)


def _status_setting(request: Request, policy: CachePolicy) -> AnswerStatus:
    if (by_rule := effects_of(request, policy).answer) is not None:
        return by_rule
    user_agent, path = request.fields.get("user-agent") or "", request.target.partition("?")[0]
    for rule in policy.presentation.status_rules:
        if rule.host.fullmatch(request.host) and rule.path.fullmatch(path) and rule.user_agent.search(user_agent):
            return rule.status
    return policy.presentation.status


def path_conditions(policy: CachePolicy) -> tuple[Callable[[str], object], ...]:
    """Return the conditions for request targets by which the status of copies is decided: all that the path decides."""
    of_paths = [_of_path(rule) for rule in policy.presentation.status_rules if rule.path is not ANYTHING]
    return (*of_paths, *(rule.path.search for rule in policy.presentation.clients if rule.path is not None))


def _of_path(rule: AnswerRule) -> Callable[[str], object]:
    return lambda target: rule.path.fullmatch(target.partition("?")[0])


# ---- responses from a copy


def from_copy(
    request: Request,
    entry: StoredResponse,
    handling: Handling,
    policy: CachePolicy,
    now: float,
    *,
    validated: bool = False,
    memento: bool = False,
) -> CopyResponse:
    """Return the response that a stored response gives to a request: whole, a part of it, a 304 or a 416.

    `validated` says that the origin confirmed it in this exchange, `memento` that Accept-Datetime selected it; `now`
    is in seconds since the epoch.
    """
    entry = in_form_for(request, entry, policy)
    fields = _fields_of_copy(request, entry, policy, now, validated=validated)
    fields = with_memento_fields(entry, fields, policy, memento=memento)
    parts = requested_parts(request, entry)
    if not_modified(request, entry):  # RFC 9110 §13.2.2: before Range
        answer = CopyResponse(Response(304, "Not Modified", _without_representation(fields)))
    elif isinstance(parts, Unsatisfiable):
        unsatisfied = ("Content-Range", f"bytes */{entry.total}"), ("Content-Length", "0")
        answer = CopyResponse(Response(416, _phrase(416), _without_representation(fields).appending(*unsatisfied)))
    elif parts:
        answer = partial(entry, parts, fields)
    else:
        answer = _whole_content(request, entry, fields, policy)
    head = with_transport_security(request, answer.head, policy)
    head = _with_via_and_cache_status(head, answer.exemption, handling, policy, entry.head.version)
    return CopyResponse(head, answer.content, answer.exemption)


def _whole_content(request: Request, entry: StoredResponse, fields: Fields, policy: CachePolicy) -> CopyResponse:
    status, phrase, exception = entry.head.status, entry.head.reason, None
    if status == 200:
        status, exception = status_of_changed_200(request, entry.head.fields, policy)
        phrase = phrase if status == 200 else _phrase(status)
        if entry.method not in ("HEAD", "OPTIONS") and not entry.scrubbed and "accept-ranges" not in fields:
            fields = fields.appending(("Accept-Ranges", "bytes"))
    if entry.method != "HEAD" and status not in NO_CONTENT and fields.get("content-length") != str(entry.total):
        fields = fields.replacing("Content-Length", str(entry.total))
    fields = _without_content(status, fields)
    no_content = request.method == "HEAD" or status in NO_CONTENT
    content = () if no_content else content_of(entry, 0, entry.total)
    return CopyResponse(Response(status, phrase, fields), content, exception)


def _without_representation(fields: Fields) -> Fields:
    """Return the fields of a 304 or 416; with an entity tag, Last-Modified is not needed (RFC 9110 §15.4.5)."""
    keep = "last-modified" if "etag" not in fields else ""
    return fields.without([name for name, _ in fields if row(name).representation and name.lower() != keep])


def _fields_of_copy(
    request: Request, entry: StoredResponse, policy: CachePolicy, now: float, *, validated: bool
) -> Fields:
    """Return the stored fields with Age and the operator's annotations, without those that only validation allows."""
    age, fields = current_age(entry, policy, now), entry.head.fields.without(_fields_for_this_cache(policy))
    if not validated:
        fields = fields.without(directives_of(entry, policy).no_cache_fields)  # RFC 9111 §5.2.2.4
    if entry.head.status == 200 and policy.presentation.annotations:
        fields = annotated(request, fields, template_values_of_copy(request, entry, age), policy)
    fields = fields_by_rule(fields, entry.target, entry.head.status, policy)
    # RFC 9111 §5.1: no Age means that the response was made for this request; a validated one nearly was
    if not validated or "age" in fields:
        fields = fields.replacing("Age", str(math.floor(age)))
    return fields


@lru_cache(maxsize=512)
def _relayed_fields(fields: Fields, removed: tuple[str, ...]) -> Fields:
    # the code that sends the trailers also announces them
    return end_to_end(fields).without(["trailer", *removed])


def _fields_for_this_cache(policy: CachePolicy) -> tuple[str, ...]:
    """Return the names of the fields that are not sent to clients: targeted ones (RFC 9213 §2.2), and cache tags."""
    stripped = policy.presentation.stripped_fields
    return (*stripped, *policy.targeted_fields) if policy.presentation.strip_targeted else stripped


# ---- relayed responses


def relayed(
    request: Request, response: Response, handling: Handling | None, policy: CachePolicy, response_time: float
) -> RelayedResponse:
    """Return the origin's response as it is relayed; only a 200 that an operator's rule changes gets another status.

    Without `handling` there is no Cache-Status. `response_time`, in seconds since the epoch, replaces a missing Date.
    """
    fields = with_date(_relayed_fields(response.fields, _fields_for_this_cache(policy)), response_time)
    status, phrase, exception = response.status, response.reason, None
    if policy.presentation.annotations and status == 200 and request.method in ("GET", "HEAD"):
        values = template_values_of_relayed(request, status)
        if (changed := annotated(request, fields, values, policy)) is not fields:
            status, exception = status_of_changed_200(request, fields, policy)
            phrase, fields = phrase if status == 200 else _phrase(status), changed
    changed = fields_by_rule(fields, target_uri(request), response.status, policy)
    if changed is not fields and status == 200 and request.method in ("GET", "HEAD"):
        status, exception = status_of_changed_200(request, fields, policy)
        phrase = phrase if status == 200 else _phrase(status)
    fields = _without_content(status, changed)
    head = with_transport_security(request, Response(status, phrase, fields), policy)
    head = _with_via_and_cache_status(head, exception, handling, policy, response.version)
    return RelayedResponse(head, request.method != "HEAD" and status not in NO_CONTENT, exception)


# ---- errors that this proxy generates


def error_response(
    status: int,
    reason: Refused,
    sentence: str,
    policy: CachePolicy,
    now: float,
    *,
    error: str | None = None,
    parameters: ErrorParameters = (),
) -> ErrorResponse:
    """Return an error that this proxy generates: never a 203, never stored, no Cache-Status (ledger META-14).

    `error` is a proxy error type of RFC 9209 §2.3, for Proxy-Status, and `parameters` are the parameters of this type.
    """
    text = f"{sentence}\nreason: {reason}\n".encode()
    described = f"; error={error}" if error else ""
    for name, value in parameters:
        described += f"; {name}={value if isinstance(value, int) else _quoted(value)}"
    fields = Fields(
        (
            ("Date", imf_date(now)),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
            ("Cache-Control", "no-store"),
            ("Proxy-Status", f"{policy.identity.name}{described}; details={_quoted(sentence)}"),
        )
    )
    return ErrorResponse(Response(status, _phrase(status), fields), text)


def _quoted(text: str) -> str:
    """Return a String of RFC 9651 §3.3.3."""
    quoted = text.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(character if character.isprintable() else " " for character in quoted) + '"'


def _with_via_and_cache_status(
    head: Response, exemption: str | None, handling: Handling | None, policy: CachePolicy, version: str
) -> Response:
    """Return the head with Via and, as its last line, Cache-Status (RFC 9110 §7.6.3, RFC 9211 §2)."""
    lines = [("Via", f"{version.removeprefix('HTTP/')} {policy.identity.name}")]
    if handling is not None and policy.presentation.cache_status:
        handling = replace(handling, detail=exemption, not_stored=None) if exemption else handling
        lines.append(("Cache-Status", member(policy.identity.name, handling, head.status)))
    return Response(head.status, head.reason, head.fields.appending(*lines), head.version)


def _without_content(status: int, fields: Fields) -> Fields:
    """Return the fields with the Content-Length that a status without content requires."""
    if status == 204:
        return fields.without(["content-length"])  # RFC 9110 §8.6
    return fields.replacing("Content-Length", "0") if status == 205 else fields  # RFC 9110 §15.3.6


@lru_cache(maxsize=64)
def _phrase(status: int) -> str:
    # RFC 9110 §15.5.17; Python 3.12 still has the reason phrase of RFC 2616
    return "Range Not Satisfiable" if status == 416 else HTTPStatus(status).phrase
