"""Answers that are ready say what the engine would say, until something changes, and never after."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from addon.frontend.http1.hot_response import GenerationStamp, HitCount, HotResponse, hot_response
from addon.frontend.http1.response_head import framing_of, head_bytes
from cache import engine
from cache.engine.decisions import Serve
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, Presentation
from cache.policy.operator_rules import AnnotationRule
from cache.rules.key import primary_key
from cache.rules.stored_response import StoredResponse
from tests.fixtures.strategies import BEGINNING, unhurried

PLAIN = CachePolicy()

# ---- the property

_RESPONSE = {
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
_REQUEST = {
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
    """A request, what is stored for it, the policy, and when it comes."""
    method = draw(st.sampled_from(["GET", "HEAD"]))
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0"]))
    request = Request(method, "http", "a.example", 80, "/", draw(_some(_REQUEST)), version)
    fields = draw(_some(_RESPONSE)).replacing("Date", imf_date(BEGINNING)).replacing("Content-Length", "4")
    vary = tuple((name.lower(), request.fields.get(name)) for name in (fields.get("vary") or "").split(", ") if name)
    head = Response(draw(st.sampled_from([200, 203, 404, 301])), draw(st.sampled_from(["OK", "100 %d"])), fields)
    asked_at = BEGINNING + draw(st.floats(0, 5))
    came_at = asked_at + draw(st.floats(0, 5))
    key = primary_key(request)
    entry = StoredResponse("0" * 32, key, "GET", request.uri, head, asked_at, came_at, came_at, vary, 4)
    policy = CachePolicy(
        presentation=Presentation(cache_status=draw(st.booleans()), memento=draw(st.booleans())),
        freshness=FreshnessPolicy(conservative_age=draw(st.booleans())),
    )
    return request, entry, policy, came_at + draw(st.floats(0, 70))


def fresh(request: Request, entry: StoredResponse, policy: CachePolicy, now: float) -> bytes:
    """What the engine says at that time, as octets of a head."""
    decision = engine.on_request(request, (entry,), policy, now)
    assert isinstance(decision, Serve)
    head = decision.response.head
    return head_bytes(head, framing_of(head, request.method, request.version, persistent=True))


@given(situations(), st.floats(0, 1, exclude_max=True), st.sampled_from([b"body", b"100 %d of %%", b"%" * 40]))
@settings(unhurried, max_examples=500)
def test_an_answer_that_is_ready_is_the_engines_at_any_time_until_it_ends(
    situation: tuple[Request, StoredResponse, CachePolicy, float], part: float, content: bytes
) -> None:
    request, entry, policy, now = situation
    decision = engine.on_request(request, (entry,), policy, now)
    if not isinstance(decision, Serve):
        return
    answer = hot_response(
        request, decision, content, policy=policy, now=now, stamp=GenerationStamp(0, 1, 1), hits=HitCount("http", None)
    )
    if answer is None:
        return
    later = now + (min(answer.valid_until, now + 1e6) - now) * part
    if later < answer.valid_until:
        assert answer.head_at(later) + answer.content == fresh(request, entry, policy, later) + content


def test_such_answers_exist() -> None:
    assert (answer := _ready()) is not None
    assert answer.valid_until == BEGINNING + 60


def test_an_answer_that_says_its_age_in_a_field_of_its_own_is_made_anew_each_time() -> None:
    rule = AnnotationRule(set=(("X-Age", "{age}"),))
    assert _ready(CachePolicy(presentation=Presentation(annotations=(rule,)))) is None


def _ready(policy: CachePolicy = PLAIN) -> HotResponse | None:
    request = Request("GET", "http", "a.example", 80, "/")
    fields = Fields((("Cache-Control", "max-age=60"), ("Date", imf_date(BEGINNING)), ("Content-Length", "4")))
    entry = StoredResponse(
        "0" * 32, primary_key(request), "GET", request.uri, Response(200, "OK", fields), *[BEGINNING] * 3, length=4
    )
    decision = engine.on_request(request, (entry,), policy, BEGINNING)
    assert isinstance(decision, Serve)
    return hot_response(
        request,
        decision,
        b"body",
        policy=policy,
        now=BEGINNING,
        stamp=GenerationStamp(0, 1, 1),
        hits=HitCount("http", None),
    )
