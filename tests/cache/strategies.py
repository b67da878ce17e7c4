"""Hypothesis strategies: field values, requests and stored responses as any client or origin may send them."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from cache.http.messages import Fields, Received, Request, Response
from cache.rules.stored_response import StoredResponse

unhurried = settings(deadline=None, max_examples=60)
"""Settings for properties: no deadline, since this machine may be busy. tools/mutation replaces them by name."""

BEGINNING = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT."""

any_text = st.text(st.characters(max_codepoint=255), max_size=80)
"""Any bytes, as Latin-1."""

_TOKENS = (
    "max-age s-maxage no-cache no-store private public must-revalidate stale-while-revalidate max-stale only-if-cached"
    ' = , ; " \\ \t 0 1 60 -1 99999999999999999999 1.5 * / W/ bytes bytes= - 0-4 gzip en-GB q=0.5 q=1 () : ?1'
    " Mon, 23 Nov 2026 12:00:00 GMT Sunday, 06-Nov-94 08:49:37 Sun Nov  6 08:49:37 1994 \xe9 \x00"
).split(" ")
almost_valid = st.lists(st.sampled_from([*_TOKENS, " "]), max_size=12).map("".join)
"""Tokens of field values in any order: many of these values are valid, or almost valid."""

values = any_text | almost_valid

_NAMES = (
    "Age Authorization Cache-Control CDN-Cache-Control Connection Content-Encoding Content-Length Content-Range"
    " Content-Type Cookie Date ETag Expires If-Modified-Since If-None-Match If-Range Last-Modified Pragma Range"
    " Set-Cookie Trailer Transfer-Encoding Upgrade Vary Via X-Own"
).split()
fields = st.lists(st.tuples(st.sampled_from(_NAMES), values), max_size=8).map(lambda lines: Fields(tuple(lines)))

moments = st.floats(BEGINNING - 1e6, BEGINNING + 1e6)
"""Times, in seconds since the epoch."""

stored_codes = st.sampled_from([200, 203, 204, 404, 503])
"""Status codes that may be stored."""


@st.composite
def requests(draw: st.DrawFn) -> Request:
    target = "/" + draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
    method = draw(st.sampled_from(["GET", "HEAD", "POST"]))
    return Request(method, "http", "a.example", 80, target, fields=draw(fields))


@st.composite
def received(draw: st.DrawFn, statuses: st.SearchStrategy[int] = stored_codes) -> Received:
    """Response heads as received, within 1000 seconds after the request."""
    sent_at = draw(moments)
    return Received(Response(draw(statuses), "", draw(fields)), sent_at, sent_at + draw(st.floats(0, 1000)))


@st.composite
def entries(draw: st.DrawFn) -> StoredResponse:
    exchange = draw(received())
    return StoredResponse(
        id="0" * 32,
        key="http://a.example/",
        method="GET",
        target="http://a.example/",
        head=exchange.head,
        request_time=exchange.request_time,
        response_time=exchange.response_time,
        stored_at=exchange.response_time,
        length=draw(st.integers(0, 100)),
    )
