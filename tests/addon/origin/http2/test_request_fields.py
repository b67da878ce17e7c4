"""The header block of a request to an origin."""

from __future__ import annotations

import pytest
from hpack import Decoder

from addon.origin import RequestContent
from addon.origin.http2.request_fields import request_block
from cache.http.messages import Fields, Request
from tests.fixtures.origin_client import chunked

HOST = "a.example"


def sent(
    *lines: tuple[str, str], content: RequestContent | None = None, named_host: bool = False
) -> list[tuple[str, str]]:
    """Return the fields that are sent for a GET with these field lines."""
    request = Request("GET", "https", HOST, 443, "/a?b", Fields(lines), has_content=content is not None)
    block = request_block(request, "https", content, named_host=named_host)
    return [(str(name), str(value)) for name, value in Decoder().decode(block)]


PSEUDO = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/a?b")]


def test_the_pseudo_fields_come_first_and_names_have_no_capitals() -> None:
    assert sent(("Host", HOST), ("X-Own", "1"), ("x-own", "2")) == [*PSEUDO, ("x-own", "1"), ("x-own", "2")]


def test_the_authority_is_the_clients_host_if_that_is_asked_for() -> None:
    assert (":authority", "other.example") in sent(("Host", "other.example"), named_host=True)
    assert (":authority", HOST) in sent(("Host", "other.example"))
    assert (":authority", HOST) in sent(("Host", "other.example"), ("Host", "third.example"), named_host=True)


def test_fields_of_one_connection_are_not_sent() -> None:
    """RFC 9113 §8.2.2."""
    lines = ("Connection", "x"), ("Keep-Alive", "5"), ("Transfer-Encoding", "chunked"), ("Upgrade", "a"), ("TE", "gzip")
    assert sent(*lines) == PSEUDO
    assert sent(("TE", "gzip, trailers")) == [*PSEUDO, ("te", "trailers")]


@pytest.mark.parametrize(("length", "added"), [(5, [("content-length", "5")]), (None, [])])
def test_the_length_of_content_is_that_of_the_content(length: int | None, added: list[tuple[str, str]]) -> None:
    assert sent(("Content-Length", "9"), content=RequestContent(chunked(), length)) == [*PSEUDO, *added]


def test_a_length_without_content_is_kept() -> None:
    assert sent(("Content-Length", "0")) == [*PSEUDO, ("content-length", "0")]
