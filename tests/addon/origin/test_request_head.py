"""The bytes of a request head, and the requests that are refused."""

from __future__ import annotations

import pytest

from addon.origin import OriginClient
from cache.http.messages import Fields, Request
from tests.fixtures.origin_client import get, run_conversation
from tests.fixtures.raw_origin import OK, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")


def test_a_request_is_sent_unchanged_except_for_its_host_line() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        fields = (("hOst", "elsewhere.test"), ("X-Twice", "1"), ("Accept", "a/b"), ("x-twice", "\xe9"))
        await client.fetch(get(origin, "/a%20b?c=d&e", *fields))
        return origin.requests[0].replace(str(origin.port).encode(), b"PORT")

    assert run_conversation(conversation, answering(OK)) == (
        b"GET /a%20b?c=d&e HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-Twice: 1\r\nAccept: a/b\r\nx-twice: \xe9\r\n\r\n"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "/a b"},
        {"target": "/a\r\nX: y"},
        {"target": "/a\nb"},
        {"target": "/a\0b"},
        {"target": "/\u0101"},
        {"method": "GET /"},
        {"method": "CONNECT"},
        {"scheme": "ftp"},
        {"host": "a\r\nb"},
        {"fields": Fields((("X", "a\r\nY: b"),))},
        {"fields": Fields((("X", "a\0"),))},
        {"fields": Fields((("X", "a\n"),))},
        {"fields": Fields((("X\r\nY", "b"),))},
        {"fields": Fields((("X Y", "b"),))},
        {"fields": Fields((("X:", "b"),))},
        {"fields": Fields((("", "b"),))},
        {"fields": Fields((("Transfer-Encoding", "chunked"),))},
        {"fields": Fields((("Content-Length", "3"),))},
        {"has_content": True},
    ],
    ids=repr,
)
def test_a_request_with_an_ambiguous_head_is_not_sent(wrong: dict[str, object]) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        given = {"method": "GET", "scheme": "http", "host": "127.0.0.1", "port": origin.port, "target": "/"}
        with pytest.raises(ValueError, match=r"cannot send|encode"):
            await client.fetch(Request(**(given | wrong)))  # type: ignore[arg-type]  # the rows have the right types
        return origin.connections

    assert run_conversation(conversation, answering(OK)) == 0
