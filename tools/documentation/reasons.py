"""The pages about reasons: each has an anchor, what it means, when it happens, and what would change it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cache.policy.reason_texts import text_of
from cache.policy.reasons import (
    Detail,
    Disconnected,
    Dropped,
    Forwarded,
    NotCompressed,
    NotStored,
    Refused,
    StreamReset,
)
from cache.policy.storing_remedies import remedy_of
from tools.documentation.markdown import anchor, escaped

TEXTS = Path(__file__).with_name("reasons.toml")


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of reasons, a section of a page."""

    kind: type[StrEnum]
    heading: str
    introduction: str
    anchor: str
    """The first part of the anchors of its reasons."""


@dataclass(frozen=True, slots=True)
class ReasonPage:
    """A page about several kinds of reasons."""

    name: str
    title: str
    introduction: str
    groups: tuple[Group, ...]


CACHE_STATUS = ReasonPage(
    "cache-status",
    "Cache-Status",
    "Every response that goes through the cache has the field `Cache-Status` (RFC 9211), for example"
    " `secondhand; fwd=uri-miss; detail=no-store`. This page explains each value of `fwd` and `detail`. The same names"
    " are in the access log, in the counters of `secondhand stats --json`, and in the output of `secondhand why`.\n\n"
    "A response from a copy has `hit`, and `ttl` with the seconds for which the copy is still fresh. If the copy is a"
    " 200 of the origin, its status is 203, or 200 for the reasons in the last section.",
    (
        Group(Forwarded, "Why the origin was asked", "The values of `fwd`.", "fwd"),
        Group(
            Detail,
            "More about a hit, or about a request to the origin",
            "Values of `detail` in responses from a copy, and in responses to requests that no copy could answer.",
            "detail",
        ),
        Group(
            NotStored,
            "Why a response was not stored",
            "Values of `detail` in responses of the origin that are passed on and not kept, so that the next request"
            " goes to the origin again.",
            "not-stored",
        ),
    ),
)
ERRORS = ReasonPage(
    "errors",
    "Errors of the proxy",
    "An error that the proxy itself sends has no `Cache-Status`. It has a line of text, a line with its reason, for"
    " example `reason: offline`, and the field `Proxy-Status` (RFC 9209). An error without these lines comes from the"
    " origin.",
    (
        Group(Refused, "Responses", "The reasons in the text of an error.", "refused"),
        Group(
            Disconnected,
            "Connections that are ended",
            "Connections of clients that broke a rule or a limit. The counters `disconnected.*` have these names.",
            "disconnected",
        ),
        Group(
            StreamReset,
            "HTTP/2 requests that are reset",
            "One request is refused or ended, and not its connection. The counters `streams_reset.*` have these names.",
            "stream-reset",
        ),
    ),
)
OTHERS = ReasonPage(
    "other-reasons",
    "Other reasons",
    "Reasons that appear in counters and in the log, and change nothing that a client notices.",
    (
        Group(
            NotCompressed,
            "Why a stored response is not compressed",
            "With `codings.compress`, copies are compressed by the proxy. The counters `not_compressed.*` have these"
            " names.",
            "not-compressed",
        ),
        Group(
            Dropped,
            "Content that is dropped",
            "Content that an origin sent where there must be none. The counters `dropped.*` have these names.",
            "dropped",
        ),
    ),
)
PAGES = (CACHE_STATUS, ERRORS, OTHERS)


def page(which: ReasonPage) -> str:
    """Return a page."""
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    parts = [f"# {which.title}", which.introduction]
    for group in which.groups:
        parts += [f"## {group.heading}", group.introduction]
        parts += [_entry(group, reason, texts[group.kind.__name__][reason]) for reason in sorted(group.kind)]
    return "\n\n".join(parts) + "\n"


def _entry(group: Group, reason: StrEnum, text: Mapping[str, str]) -> str:
    meaning = text_of(reason)
    source = "a rule of this project" if meaning.source == "ours" else meaning.source
    status = [f"- Status: {text['status']}"] if "status" in text else []
    change = capitalised(escaped(remedy_of(reason))) + "." if isinstance(reason, NotStored) else text["change"]
    return "\n".join(
        [
            anchor(f"{group.anchor}-{reason}"),
            f"### `{reason}`",
            "",
            f"{capitalised(escaped(meaning.sentence))} ({source}).",
            "",
            *status,
            f"- When: {text['when']}",
            f"- What would change it: {change}",
        ]
    )


def capitalised(sentence: str) -> str:
    """Return a sentence with its first letter as a capital."""
    return sentence[0].upper() + sentence[1:]
