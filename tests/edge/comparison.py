"""The differences between the responses of two fronts to the same requests, head by head."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import httpx

from tests.edge.browser import is_copy
from tests.edge.fronts import Front

ALLOWED: Mapping[str, str] = {
    "203": "a copy of a 200 says by its status that it is a copy, and so does one that the origin has confirmed",
    "age": "RFC 9111 §5.1: a copy has its age; nginx sends none",
    "via": "RFC 9110 §7.6.3: a proxy names itself; nginx does not",
    "cache-status": "RFC 9211: the cache says what it did",
    "x-cache": "what nginx did, added by the configuration of these tests",
    "date": "the responses were made at other times",
    "expires": "the responses were made at other times",
    "server": "nginx replaces the name of the application's server with its own",
    "connection": "it is about the connection to the client (RFC 9110 §7.6.1)",
    "keep-alive": "it is about the connection to the client",
    "accept-ranges": "RFC 9110 §14.3: a range of a copy can be had, even if the application has no ranges",
    "framing": "the end of the same content is told by its length, by chunks or by HTTP/2 frames",
}
"""The differences that any two responses may have, and the reason for each."""

EVERYTHING, ALL_BUT_STATUS = "everything", "all but status"
"""Names that stand for many differences in the response to one request."""

ERROR_PAGE = {ALL_BUT_STATUS: "an error that is found by a copy has the fields of the copy, and no page"}

_FRAMING = ("content-length", "transfer-encoding")


@dataclass(frozen=True)
class Ask:
    """A request of a comparison."""

    target: str
    method: str = "GET"
    fields: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    allowed: Mapping[str, str] = field(default_factory=dict)
    """The reasons for more differences between the responses to this request, by name."""


@dataclass(frozen=True)
class Allowed:
    """More differences than those that any two responses may have."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field, or "status", "content"."""
    changing: str | None = None
    """A pattern of what is different in each response: a random token in a page, or in the value of a field."""


ONLY_ALWAYS_ALLOWED = Allowed()


def check_same_answers(front: Front, nginx: Front, asks: Sequence[Ask], allowed: Allowed = ONLY_ALWAYS_ALLOWED) -> None:
    """Play requests twice to both fronts, one after the other. Raises AssertionError with what differs."""
    found = []
    for turn in ("first", "second"):
        for ask, ours, theirs in zip(asks, _played(front, asks), _played(nginx, asks), strict=True):
            found += [
                f"{ask.method} {ask.target} {dict(ask.fields)}, {turn} time: {difference}"
                for name, difference in _differences(ours, theirs, allowed)
                if not _is_allowed(name, {*ALLOWED, *allowed.reasons, *ask.allowed})
            ]
    assert not found, "\n".join(found)


def _played(front: Front, asks: Sequence[Ask]) -> list[httpx.Response]:
    """Return the answers to a new browser."""
    with front.browser() as browser:
        return [
            browser.request(ask.method, ask.target, headers=ask.fields, content=ask.content, follow_redirects=False)
            for ask in asks
        ]


def _is_allowed(name: str, allowed: Set[str]) -> bool:
    return name in allowed or EVERYTHING in allowed or (ALL_BUT_STATUS in allowed and name != "status")


def _differences(ours: httpx.Response, theirs: httpx.Response, allowed: Allowed) -> Iterator[tuple[str, str]]:
    """Iterate over what differs: the name of a field, "203", "status", "framing", "content"; and a text for people."""
    if ours.status_code != theirs.status_code:
        from_copy = is_copy(ours) or "fwd-status=304" in ours.headers.get("Cache-Status", "")
        marked = from_copy and (ours.status_code, theirs.status_code) == (203, 200)
        yield "203" if marked else "status", f"status {ours.status_code}, nginx has {theirs.status_code}"
    for name in sorted({*ours.headers, *theirs.headers}):
        left, right = (_values(each, name, allowed) for each in (ours, theirs))
        if name in _FRAMING and (not left or not right):
            yield "framing", name
        elif left != right:
            yield name, f"{name} {left}, nginx has {right}"
    contents = [_without(allowed.changing, each.text) for each in (ours, theirs)]
    if contents[0] != contents[1]:
        begin = next((at for at, pair in enumerate(zip(*contents, strict=False)) if len({*pair}) > 1), 0)
        excerpts = [each[max(0, begin - 20) : begin + 60] for each in contents]
        yield "content", f"content {excerpts[0]!r}, nginx has {excerpts[1]!r}"


def _values(response: httpx.Response, name: str, allowed: Allowed) -> list[str]:
    """Return all values of a field. Of cookies, return the name and the attributes but the time."""
    values = response.headers.get_list(name)
    if name == "set-cookie":
        return sorted(re.sub(r"=[^;]*", "", re.sub("expires=[^;]*", "", value), count=1) for value in values)
    return [_without(allowed.changing, value) for value in values]


def _without(pattern: str | None, text: str) -> str:
    return re.sub(pattern, "", text) if pattern else text
