"""Response templates: another response of the same form gets what the engine would decide, to the byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1.batched_counters import BatchedCounters
from addon.frontend.http1.response_head import framing_of, head_bytes
from addon.frontend.http1.response_templates import response_template
from addon.origin.head_form import FormedHead
from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from addon.pipeline.responder import is_collapsible
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Forward, Relay, Store
from cache.http.fields import imf_date
from cache.http.messages import Fields, Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import primary_key
from tests.fixtures.strategies import unhurried
from tests.lanes.messages import fields_of
from tests.lanes.script import Ask, Conversation, Origin
from tests.lanes.settings import settings_for
from tests.rfc.all_conversations import CONVERSATIONS

NOW = 1_800_000_000.0
BODY = b"content"
DATE = imf_date(NOW)

_TIME = re.compile(r"\{(?:now|start)(?:[+-][0-9]+)?\}")
_OTHER_VALUES = {
    "date": imf_date(NOW - 3),
    "etag": 'W/"another"',
    "last-modified": imf_date(NOW - 10**8),
    "expires": imf_date(NOW - 10**6),
}


def formed(head: bytes) -> FormedHead | None:
    reader = ResponseReader("GET", "a.example", OriginOptions())
    reader.feed(head)
    return reader.formed_head


def head_of(lines: Fields, status: str = "200 OK") -> bytes:
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {status}\r\n{text}\r\n".encode("latin-1")


def with_length(lines: Fields, length: int) -> Fields:
    lines = lines if "date" in lines else lines.appending(("Date", DATE))
    return lines.without(["content-length", "transfer-encoding"]).appending(("Content-Length", str(length)))


def with_other_values(lines: Fields) -> Fields:
    return Fields(tuple((name, _OTHER_VALUES.get(name.lower(), value)) for name, value in lines))


def check(request: Request, other: Request, lines: Fields, status: str, policy: CachePolicy) -> bool:
    """Compare the template of one response with the engine's decision about another; return whether there is one."""
    sent, other_sent = (engine.on_request(each, (), policy, NOW) for each in (request, other))
    if not isinstance(sent, Forward) or not is_collapsible(request, sent) or not policy.shortcuts.request_template:
        return False
    assert isinstance(other_sent, Forward)
    head = formed(head_of(with_length(lines, 5000), status))
    other_head = formed(head_of(with_length(with_other_values(lines), len(BODY)), status))
    if head is None or other_head is None or head.form is not other_head.form:
        return False
    outcome = engine.on_response(request, sent, Received(head.parsed.response, NOW - 9, NOW - 8), policy, "1" * 32)
    template = response_template(request, head, outcome, policy, BatchedCounters(Counters()))
    shown = template.head_for(other_head, NOW) if template is not None else None
    if template is None or shown is None:
        return False
    received = Received(other_head.parsed.response, NOW - 2, NOW)
    expected = engine.on_response(other, other_sent, received, policy, "2" * 32)
    assert isinstance(expected, Relay | Store)
    presented = expected.response.head
    framing = framing_of(presented, "GET", "HTTP/1.1", persistent=True)
    assert shown == head_bytes(presented, framing)
    assert template.outcome.handling == expected.handling
    if isinstance(expected, Store):
        assert isinstance(template.outcome, Store)
        entry = template.entry_for(
            template.outcome.entry,
            "2" * 32,
            other,
            (NOW - 2, NOW),
            key=primary_key(other),
            values=other_head.open_values,
            body=BODY,
            last_purge=0,
        )
        assert (expected.changes, expected.replaces, expected.secrets) == ((), (), frozenset())
        assert entry == expected.entry.with_body(len(BODY), sha256(BODY).hexdigest())
    else:
        assert isinstance(template.outcome, Relay)
        assert (template.outcome.not_stored, expected.changes) == (expected.not_stored, ())
    return True


def exchanges(conversation: Conversation) -> Iterator[tuple[Ask, Origin]]:
    """Iterate over every request of a conversation with every response in it."""
    for ask in (step for step in conversation.steps if isinstance(step, Ask)):
        for response in (step for step in conversation.steps if isinstance(step, Origin)):
            yield ask, response


def test_a_template_leads_to_what_the_engine_decides_in_every_conversation() -> None:
    compared = 0
    for conversation in CONVERSATIONS:
        policy = settings_for(conversation).policy()
        for ask, response in exchanges(conversation):
            method, _, target = ask.line.partition(" ")
            fields = fields_of(tuple(_TIME.sub(DATE, line) for line in ask.fields))
            lines = fields_of(tuple(_TIME.sub(DATE, line) for line in response.fields))
            if method != "GET" or ask.body or "{" in f"{fields}{lines}":
                continue
            request = Request("GET", "http", "a.example", 80, target, fields)
            status = response.status if " " in response.status else f"{response.status} Fine"
            other = replace(request, target="/another.css?q=1")
            compared += check(request, other, lines, status, policy)
    assert compared > 300


_LINES = st.lists(
    st.sampled_from(
        [
            ("Cache-Control", "max-age=60"),
            ("Cache-Control", "no-store"),
            ("Cache-Control", "private, max-age=60"),
            ("Cache-Control", 'no-cache="X-A", private="X-B"'),
            ("CDN-Cache-Control", "max-age=9"),
            ("ETag", '"a"'),
            ("etag", 'W/"50%"'),
            ("Last-Modified", DATE),
            ("Expires", DATE),
            ("Expires", "0"),
            ("Vary", "Accept, Cookie"),
            ("Vary", "*"),
            ("Content-Type", "text/css"),
            ("Content-Type", "text/event-stream"),
            ("Set-Cookie", "a=b"),
            ("Connection", "keep-alive, X-A"),
            ("X-A", "50%"),
            ("X-B", '"a"'),
            ("Repr-Digest", "sha-256=:AAAA:"),
            ("Trailer", "ETag"),
            ("Age", "5"),
            ("Date", "Mon, 31 Feb 2026 12:00:00 GMT"),
        ]
    ),
    max_size=7,
)
_FIELDS = st.lists(
    st.sampled_from([("Accept", "*/*"), ("Cookie", "a=b"), ("Authorization", "x"), ("If-None-Match", '"a"')]),
    max_size=2,
    unique=True,
)
_TARGETS = st.text(st.sampled_from("abc/?=&.;%20-"), max_size=9).map(lambda text: f"/{text}")


@unhurried
@given(_FIELDS, _LINES, _TARGETS, _TARGETS, st.sampled_from(["200 OK", "404 Not Found", "203 %b"]))
def test_a_template_leads_to_what_the_engine_decides_for_any_fields(
    fields: list[tuple[str, str]], lines: list[tuple[str, str]], target: str, other: str, status: str
) -> None:
    request = Request("GET", "http", "a.example", 80, target, Fields(tuple(fields)))
    check(request, replace(request, target=other), Fields(tuple(lines)), status, CachePolicy())


@pytest.mark.parametrize(
    ("line", "has_template"),
    [
        (("Cache-Control", "max-age=60"), True),
        (("Cache-Control", "no-store"), True),
        (("ETag", '"a"'), True),
        (("Repr-Digest", "sha-256=:AAAA:"), False),
        (("Date", "Mon, 31 Feb 2026 12:00:00 GMT"), False),
    ],
    ids=str,
)
def test_there_is_a_template_for_usual_responses_only(line: tuple[str, str], *, has_template: bool) -> None:
    request = Request("GET", "http", "a.example", 80, "/a")
    lines = Fields((("ETag", '"a"'), line) if line[0] != "ETag" else (line,))
    assert check(request, replace(request, target="/b"), lines, "200 OK", CachePolicy()) is has_template


def test_a_response_to_credentials_is_not_stored_by_a_template() -> None:
    """The time from Date to Expires decides if others may get it."""
    request = Request("GET", "http", "a.example", 80, "/a", Fields((("Cookie", "a=b"),)))
    assert not check(request, replace(request, target="/b"), Fields((("Expires", DATE),)), "200 OK", CachePolicy())
