"""Vary: a stored response is for the request that it was stored for, however its fields are spread over lines."""

from __future__ import annotations

from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.rules.key import primary_key, storage_key
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import matches, nominated_fields, selecting_fields, values_that_select, vary_of
from tools.fuzz.messages import sections
from tools.fuzz.pieces import repeated

TOKENS = [
    *(b"Vary: ", b"\n\n", b"*", b"Accept: ", b"Accept-Encoding: ", b"Accept-Language: ", b"Cookie: ", b"q=0.5", b";"),
    *(b"gzip", b"No-Vary-Search: ", b"params", b'=("a")', b"except", b"key-order", b"Authorization: ", b"Referer: "),
]

POLICIES = [
    CachePolicy(keying=KeyPolicy(credential_key=bytes(32))),
    CachePolicy(keying=KeyPolicy(credential_key=bytes(32), no_vary_search=True, partition=("referring-site",))),
]


def check(data: bytes) -> None:
    """Store a response for a request: its fields are the first section, those of the response the second."""
    for each in (data, repeated(data)):
        if each is not None:
            asked, response_fields = sections(each, 2)
            for policy in POLICIES:
                _check(asked, response_fields, policy)


def _check(asked: Fields, response_fields: Fields, policy: CachePolicy) -> None:
    request = Request("GET", "http", "a.example", 80, "/a?b=1&c=%20", fields=asked)
    key = storage_key(request, response_fields, policy)
    vary = vary_of(request, key, response_fields, policy)
    nominated = nominated_fields(response_fields)
    assert nominated is None or list(nominated) == sorted({name.lower() for name in nominated})
    entry = StoredResponse("0" * 32, key, "GET", request.uri, Response(200, "OK", response_fields), 0, 0, 0, vary)
    assert matches(entry, request, policy) == (nominated is not None)
    assert {name for name, _ in values_that_select(request, [entry], policy)} <= selecting_fields(entry)
    for name in nominated or ():  # RFC 9111 §4.1: an absent field matches only an absent field
        if name not in asked:
            assert not matches(entry, request.with_fields(asked.appending((name, "other"))), policy)
    for name, value in vary:
        if name in ("authorization", "cookie") and value is not None:
            assert value.startswith("hash:")
    if nominated is not None:
        # RFC 9110 §5.3: lines of one name mean the same as one line with all members
        joined = Fields((("Vary", ", ".join(response_fields.all("vary"))),)) if nominated else Fields()
        assert nominated_fields(joined) == nominated
    assert primary_key(request) == "http://a.example/a?b=1&c=%20"
