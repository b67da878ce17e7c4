"""A hot response is the response that the engine would give, at any time until it expires."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from addon.frontend.http1.hot_response import HitCount, HotResponse, hot_response
from addon.frontend.http1.response_head import framing_of, head_bytes
from cache import engine
from cache.engine.decisions import Serve
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, Presentation
from cache.policy.operator_rules import AnnotationRule
from cache.rules.key import primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp
from tests.fixtures.strategies import BEGINNING, unhurried

REQUEST = Request("GET", "http", "a.example", 80, "/")

_RESPONSE_FIELDS = {
    "Cache-Control": ["max-age=60", "max-age=3", "s-maxage=9, max-age=1", "public", "max-age=60, must-revalidate",
                      "max-age=1, stale-while-revalidate=30", "max-age=4, stale-if-error=60", "no-cache", "private"],
    "Age": ["0", "2", "59", "100%", "x"],
    "ETag": ['"a"', 'W/"%d"', '"a; ttl=60"'],
    "Last-Modified": [imf_date(BEGINNING - 1000)],
    "Expires": [imf_date(BEGINNING + 30), "0"],
    "Vary": ["Accept-Language", "X-Other", "Cookie"],
    "Content-Type": ["text/plain", "text/%s"],
    "Cache-Status": ["upstream; hit; ttl=60", "secondhand; hit; ttl=59"],
    "Warning": ["110 - stale"],
    "X-Own": ["%d %% %(age)s", "; ttl=60", "Age: 5"],
    "X-%d%": ["a"],
}  # fmt: skip
_REQUEST_FIELDS = {
    "Cache-Control": ["max-age=5", "max-stale", "max-stale=3", "min-fresh=2", "no-cache", "only-if-cached"],
    "Accept-Language": ["en", "de"],
    "Range": ["bytes=0-1", "bytes=-1", "bytes=9-"],
    "If-None-Match": ['"a"', "*"],
    "If-Modified-Since": [imf_date(BEGINNING)],
    "User-Agent": ["cargo 1.0", "Mozilla/5.0"],
    "Connection": ["keep-alive"],
}  # fmt: skip


def _some(table: dict[str, list[str]]) -> st.SearchStrategy[Fields]:
    lines = st.sampled_from([(name, value) for name, values in table.items() for value in values])
    return st.lists(lines, max_size=4, unique_by=lambda line: line[0]).map(lambda drawn: Fields(tuple(drawn)))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Request, StoredResponse, CachePolicy, float]:
    """A request, a stored response under its key, the policy, and the time of the request."""
    request = replace(
        REQUEST,
        method=draw(st.sampled_from(["GET", "HEAD"])),
        version=draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0"])),
        fields=draw(_some(_REQUEST_FIELDS)),
    )
    fields = draw(_some(_RESPONSE_FIELDS)).replacing("Date", imf_date(BEGINNING)).replacing("Content-Length", "4")
    head = Response(draw(st.sampled_from([200, 203, 404, 301])), draw(st.sampled_from(["OK", "100 %d"])), fields)
    request_time = BEGINNING + draw(st.floats(0, 5))
    response_time = request_time + draw(st.floats(0, 5))
    policy = CachePolicy(
        presentation=Presentation(cache_status=draw(st.booleans()), memento=draw(st.booleans())),
        freshness=FreshnessPolicy(conservative_age=draw(st.booleans())),
    )
    return request, stored(request, head, request_time, response_time), policy, response_time + draw(st.floats(0, 70))


def stored(request: Request, head: Response, request_time: float, response_time: float) -> StoredResponse:
    """Return the stored response to a request."""
    nominated = [name for name in (head.fields.get("vary") or "").split(", ") if name]
    return StoredResponse(
        id="0" * 32,
        key=primary_key(request),
        method="GET",
        target=request.uri,
        head=head,
        request_time=request_time,
        response_time=response_time,
        stored_at=response_time,
        vary=tuple((name.lower(), request.fields.get(name)) for name in nominated),
        length=4,
    )


def hot(
    request: Request, entry: StoredResponse, policy: CachePolicy, now: float, content: bytes = b"body"
) -> HotResponse | None:
    """Return the hot response from a stored response; None if the engine does not serve it, or it cannot be hot."""
    decision = engine.on_request(request, (entry,), policy, now)
    if not isinstance(decision, Serve):
        return None
    stamp, hits = Stamp(0, 1, 1, (), 0, ""), HitCount("http", None, "a.example")
    return hot_response(HotResponse, request, decision, content, policy=policy, now=now, stamp=stamp, hits=hits)


def decided_head(request: Request, entry: StoredResponse, policy: CachePolicy, now: float) -> bytes:
    """Return the head of the response by which the engine answers at `now`, as bytes."""
    decision = engine.on_request(request, (entry,), policy, now)
    assert isinstance(decision, Serve)
    head = decision.response.head
    return head_bytes(head, framing_of(head, request.method, request.version, persistent=True))


@given(situations(), st.floats(0, 1, exclude_max=True), st.sampled_from([b"body", b"100 %d of %%", b"%" * 40]))
@settings(unhurried, max_examples=500)
def test_a_hot_response_is_the_engines_response_until_it_expires(
    situation: tuple[Request, StoredResponse, CachePolicy, float], fraction: float, content: bytes
) -> None:
    request, entry, policy, now = situation
    response = hot(request, entry, policy, now, content)
    if response is None:
        return
    later = now + (min(response.valid_until, now + 1e6) - now) * fraction
    if later < response.valid_until:
        assert response.head_at(later) + response.content == decided_head(request, entry, policy, later) + content


FRESH = Fields((("Cache-Control", "max-age=60"), ("Date", imf_date(BEGINNING)), ("Content-Length", "4")))
ENTRY = stored(REQUEST, Response(200, "OK", FRESH), BEGINNING, BEGINNING)


def test_a_plain_response_becomes_a_hot_response() -> None:
    response = hot(REQUEST, ENTRY, CachePolicy(), BEGINNING)
    assert response is not None
    assert response.valid_until == BEGINNING + 60


def test_a_response_with_its_age_in_an_annotation_does_not_become_a_hot_response() -> None:
    policy = CachePolicy(presentation=Presentation(annotations=(AnnotationRule(set=(("X-Age", "{age}"),)),)))
    assert hot(REQUEST, ENTRY, policy, BEGINNING) is None
