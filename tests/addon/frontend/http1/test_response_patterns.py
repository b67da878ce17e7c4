"""A response by a pattern is the engine's response, for every request and every stored response."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.frontend.http1.hot_response import HitCount, HotResponse, hot_response
from addon.frontend.http1.response_patterns import MAX_PATTERNS, ResponsePatterns
from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.access_log.logged_response import LoggedResponse
from cache import engine
from cache.answer.cache_status import Handling
from cache.engine.decisions import Serve
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, Presentation, StoringPolicy
from cache.policy.operator_rules import AnnotationRule, AnswerRule, AnswerStatus, ClientRule, LifetimeRule, glob
from cache.rules.key import primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp
from cache.stores.codec import encode, read_record
from cache.stores.whole_copy import copy_in_row, copy_of
from tests.fixtures.strategies import BEGINNING, unhurried

REQUEST = Request("GET", "http", "a.example", 80, "/")
STAMP, HITS = Stamp(0, 1, 1, (), 0, ""), HitCount("http", None, "a.example")


def logged(request: Request, status: int, size: int, handling: Handling) -> str:
    """Return the line of a response in the access log."""
    return LineFormat().prepare(LoggedResponse(status, size, request, handling=handling))


def by_engine(
    request: Request, entry: StoredResponse, content: bytes, policy: CachePolicy, now: float
) -> tuple[Serve, HotResponse] | None:
    """Return the engine's decision and the hot response made of it, or None if there is none."""
    decision = engine.on_request(request, (entry,), policy, now)
    if not isinstance(decision, Serve):
        return None
    hot = hot_response(
        HotResponse, request, decision, content, policy=policy, now=now, stamp=STAMP, hits=HITS, log_line=logged
    )
    return (decision, hot) if hot else None


def by_pattern(
    patterns: ResponsePatterns, request: Request, entry: StoredResponse, content: bytes, policy: CachePolicy, now: float
) -> HotResponse | None:
    """Return the response by a pattern, the same from the stored response in memory and from its row on disk."""
    stored = replace(entry, sha256=sha256(content).hexdigest())
    in_memory, on_disk = copy_of(stored, content), copy_in_row(read_record(encode(stored)), encode(stored), content)
    made = [
        patterns.hot_response(request, copy, policy=policy, now=now, stamp=STAMP, hits=lambda *_: HITS, log_line=logged)
        for copy in (in_memory, on_disk)
        if copy is not None
    ]
    assert len(made) in (0, 2)
    first, last = made or (None, None)
    assert (first and attributes(first)) == (last and attributes(last))
    return last


def attributes(hot: HotResponse) -> dict[str, object]:
    names = [name for each in type(hot).__mro__ for name in getattr(each, "__slots__", ())]
    return {name: getattr(hot, name) for name in names}


def compare(
    patterns: ResponsePatterns, request: Request, entry: StoredResponse, content: bytes, policy: CachePolicy, now: float
) -> bool:
    """Compare the response by a pattern with the engine's, or learn this one. Return whether there was a pattern."""
    engines = by_engine(request, entry, content, policy, now)
    hot = by_pattern(patterns, request, entry, content, policy, now)
    if hot is not None:
        assert engines is not None
        expected, found = attributes(engines[1]), attributes(hot)
        assert found.pop("valid_until") == pytest.approx(expected.pop("valid_until"), abs=1e-3)
        assert found == expected
    elif engines is not None:
        patterns.learn(request, engines[0], policy, engines[1])
    return hot is not None


# ---- any two stored responses

_OPEN_VALUES = {
    "ETag": ['"a"', 'W/"b"', '"100%"', '"%s %d"', ""],
    "Last-Modified": [imf_date(BEGINNING - 1000), imf_date(BEGINNING - 90_000), "never"],
    "Expires": [imf_date(BEGINNING + 30), imf_date(BEGINNING + 500), "0"],
    "Content-Length": ["4", "5"],
    "X-Request-Id": ["1", "2"],
}
_FIXED_VALUES = {
    "Cache-Control": ["max-age=60", "s-maxage=9, max-age=1", "public", "max-age=60, must-revalidate", "no-cache",
                      "no-cache=etag, max-age=60", "max-age=1, stale-while-revalidate=30", "private", "immutable"],
    "Age": ["0", "59", "x"],
    "Vary": ["Accept-Language", "Cookie"],
    "Content-Type": ["text/plain", "application/gzip"],
    "Cache-Status": ["upstream; hit; ttl=60"],
    "Signature-Input": ['sig=("@status")'],
    "X-Own": ["%d %% %(age)s", "%s", "Age: 5"],
    "etag": ['"lower"'],
}  # fmt: skip
_REQUEST_FIELDS = {
    "Cache-Control": ["max-age=5", "max-stale", "min-fresh=2", "no-cache"],
    "Accept-Language": ["en", "de"],
    "Authorization": ["Basic x"],
    "Cookie": ["a=1"],
    "Range": ["bytes=0-1"],
    "If-None-Match": ['"a"', "*"],
    "If-Modified-Since": [imf_date(BEGINNING)],
    "User-Agent": ["cargo 1.0", "Mozilla/5.0"],
}


def _some(table: dict[str, list[str]], most: int) -> st.SearchStrategy[list[tuple[str, str]]]:
    lines = st.sampled_from([(name, value) for name, values in table.items() for value in values])
    return st.lists(lines, max_size=most, unique_by=lambda line: line[0])


_CLIENTS = (ClientRule("tarballs", path=glob("*.tar.gz")), ClientRule("cargo", user_agent=glob("cargo*")))
_POLICIES = st.builds(
    CachePolicy,
    presentation=st.builds(
        Presentation,
        cache_status=st.booleans(),
        memento=st.booleans(),
        clients=st.just(()) | st.just(_CLIENTS),
        status_rules=st.just(()) | st.just((AnswerRule(AnswerStatus.ORIGIN, path=glob("/plain/*")),)),
        annotations=st.just(()) | st.just((AnnotationRule(set=(("X-Uri", "{uri}"),)),)),
    ),
    freshness=st.builds(
        FreshnessPolicy,
        conservative_age=st.booleans(),
        lifetimes=st.just(()) | st.just((LifetimeRule(5, paths=(glob("/b*"),)),)),
    ),
    storing=st.builds(StoringPolicy, captures=st.sampled_from([1, 1, 2])),
)  # fmt: skip


@st.composite
def stored_responses(draw: st.DrawFn, request: Request, fixed: list[tuple[str, str]], status: int) -> StoredResponse:
    fields = [("Date", imf_date(BEGINNING + draw(st.sampled_from([0, 1, -100])))), *fixed]
    fields += [(name, value) for name, value in draw(_some(_OPEN_VALUES, 5)) if name.lower() not in dict(fixed)]
    request_time = BEGINNING + draw(st.sampled_from([0.0, 0.5, 5.0]))
    response_time = request_time + draw(st.sampled_from([0.0, 0.25, 3.0]))
    nominated = [value for name, value in fixed if name == "Vary"]
    return StoredResponse(
        id="0" * 32,
        key=primary_key(request),
        method=draw(st.sampled_from(["GET", "GET", "GET", "HEAD"])),
        target=draw(st.sampled_from([request.uri, request.uri, request.uri, request.uri + "#"])),
        head=Response(status, draw(st.sampled_from(["OK", "100 %d"])), Fields(tuple(fields))),
        request_time=request_time,
        response_time=response_time,
        stored_at=response_time,
        vary=tuple((name.lower(), request.fields.get(name)) for name in nominated),
        length=4,
        personal=draw(st.sampled_from([False, False, True])),
        invalid=draw(st.sampled_from([False, False, False, True])),
        scrubbed=draw(st.sampled_from([False, False, False, True])),
    )


@given(st.data(), _POLICIES)
@settings(unhurried, max_examples=600)
def test_a_response_by_a_pattern_is_the_engines(data: st.DataObject, policy: CachePolicy) -> None:
    patterns, fields = ResponsePatterns(), Fields(tuple(data.draw(_some(_REQUEST_FIELDS, 1))))
    fixed = data.draw(_some(_FIXED_VALUES, 3) | st.just([("Cache-Control", "max-age=60")]))
    status = data.draw(st.sampled_from([200, 200, 404, 301, 204]))
    for _ in range(4):
        path = data.draw(st.sampled_from(["/", "/b", "/b?c", "/a.tar.gz", "/plain/a"]))
        request = replace(REQUEST, target=path, fields=fields)
        entry = data.draw(stored_responses(request, fixed, status))
        now = entry.response_time + data.draw(st.sampled_from([-20.0, 0.0, 1.0, 4.0, 70.0]))
        compare(patterns, request, entry, data.draw(st.sampled_from([b"body", b"100%", b"%%%%"])), policy, now)


# ---- patterns are used


def stored(path: str, **fields: str) -> StoredResponse:
    given = {"Date": imf_date(BEGINNING), "Cache_Control": "max-age=60", "Content_Length": "4", **fields}
    request = replace(REQUEST, target=path)
    head = Response(200, "OK", Fields(tuple((name.replace("_", "-"), value) for name, value in given.items())))
    return StoredResponse(
        id="0" * 32,
        key=primary_key(request),
        method="GET",
        target=request.uri,
        head=head,
        request_time=BEGINNING,
        response_time=BEGINNING,
        stored_at=BEGINNING,
        length=4,
    )


def is_alike(first: StoredResponse, second: StoredResponse, policy: CachePolicy = CachePolicy()) -> bool:  # noqa: B008 - it is frozen
    """Return whether the pattern of the first stored response answers from the second one."""
    patterns = ResponsePatterns()
    return [_use(patterns, entry, policy) for entry in (first, second)] == [False, True]


def _use(patterns: ResponsePatterns, entry: StoredResponse, policy: CachePolicy) -> bool:
    request = replace(REQUEST, target=entry.target.removeprefix("http://a.example"))
    return compare(patterns, request, entry, b"body", policy, BEGINNING + 1)


FIRST = stored("/1", ETag='"1"', Last_Modified=imf_date(BEGINNING - 1000))


@pytest.mark.parametrize(
    ("second", "alike"),
    [
        (stored("/2", ETag='"1"', Last_Modified=imf_date(BEGINNING - 1000)), True),
        (stored("/2", ETag='W/"other"', Last_Modified="never", Date=imf_date(BEGINNING + 1)), True),
        (stored("/2", ETag='"100%d"', Last_Modified=imf_date(BEGINNING - 1000)), True),
        (stored("/2", ETag='"1"', Last_Modified=imf_date(BEGINNING - 1000), Content_Length="5"), False),
        (stored("/2", ETag='"1"', Last_Modified=imf_date(BEGINNING - 1000), X_Own="1"), False),
        (stored("/2", ETag='"1"', Last_Modified=imf_date(BEGINNING - 1000), Cache_Control="max-age=61"), False),
        (stored("/2", ETag='"1"'), False),
    ],
)
def test_copies_are_alike_if_only_open_values_differ(second: StoredResponse, alike: bool) -> None:
    assert is_alike(FIRST, second) is alike


def test_a_heuristic_lifetime_is_computed_for_each_copy() -> None:
    first = stored("/1", Cache_Control="public", Last_Modified=imf_date(BEGINNING - 1000))
    assert is_alike(first, stored("/2", Cache_Control="public", Last_Modified=imf_date(BEGINNING - 90_000)))
    assert not is_alike(first, stored("/2", Cache_Control="public", Last_Modified="never"))


def test_paths_that_lead_to_another_status_are_not_alike() -> None:
    policy = CachePolicy(presentation=Presentation(clients=(ClientRule("tarballs", path=glob("*.tar.gz")),)))
    first, tarball, other_tarball = (stored(path) for path in ("/1", "/2.tar.gz", "/3.tar.gz"))
    assert not is_alike(first, tarball, policy)
    assert is_alike(tarball, other_tarball, policy)


def test_the_pattern_of_another_policy_is_not_used() -> None:
    patterns, other = ResponsePatterns(), CachePolicy(presentation=Presentation(cache_status=False))
    compare(patterns, replace(REQUEST, target="/1"), FIRST, b"body", CachePolicy(), BEGINNING)
    assert not compare(patterns, replace(REQUEST, target="/1"), FIRST, b"body", other, BEGINNING)


def test_the_number_of_patterns_is_limited() -> None:
    patterns, policy, request = ResponsePatterns(), CachePolicy(), replace(REQUEST, target="/1")
    for number in range(MAX_PATTERNS + 1):
        compare(patterns, request, stored("/1", X_Own=str(number)), b"body", policy, BEGINNING)
    assert compare(patterns, request, stored("/1", X_Own=str(MAX_PATTERNS)), b"body", policy, BEGINNING)
    assert not compare(patterns, request, stored("/1", X_Own="0"), b"body", policy, BEGINNING)
