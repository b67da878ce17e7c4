"""Responses over HTTP/2: which are accepted, and what is wrong with the others (RFC 9113 §8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure
from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from cache.http.messages import Fields, Response
from cache.policy.operator_rules import glob
from tests.fixtures.http2_origin import Http2Peer, answering_all, ask, converse, data, http2
from tests.fixtures.origin_client import fetch_whole, whole
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.throwaway_ca import ThrowawayCA

type Reply = Callable[[Http2Peer, int], bytes]
"""Makes the frames of a response on a stream."""


def replying(reply: Reply) -> Callable[[Http2Peer], object]:
    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(reply(origin, request.number))
        await answering_all(origin)

    return script


def received(ca: ThrowawayCA, reply: Reply, method: str = "GET", **options: object) -> tuple[Response, bytes, Fields]:
    """Return the head, the body and the trailers of a response; the same connection then carries another one."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Response, bytes, Fields]:
        response = await client.fetch(ask(origin, method=method))
        body = await whole(response)
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1
        return response.head, body, response.trailers

    return converse(ca, conversation, http2(replying(reply)), **options)  # type: ignore[arg-type]  # a script


# ---- accepted


@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [
        (lambda o, n: o.head(n, end=True), 200, b""),
        (lambda o, n: o.head(n) + data(n, b"", end=True), 200, b""),
        (lambda o, n: o.head(n, ("content-length", "2")) + data(n, b"ok", end=True), 200, b"ok"),
        (lambda o, n: o.head(n) + data(n, b"o") + data(n, b"k") + data(n, b"", end=True), 200, b"ok"),
        (lambda o, n: o.head(n) + frames.frame(0, frames.PADDED | 1, n, b"\x03ok\0\0\0"), 200, b"ok"),
        (lambda o, n: o.head(n, status="204", end=True), 204, b""),
        (lambda o, n: o.head(n, ("content-length", "5"), status="304", end=True), 304, b""),
        (lambda o, n: o.head(n, status="204") + data(n, b"dropped", end=True), 204, b""),
        (lambda o, n: o.head(n, status="599", end=True), 599, b""),
    ],
    ids="head empty length pieces padding 204 304 204-with-content 599".split(),
)
def test_a_response_is_received(ca: ThrowawayCA, reply: Reply, status: int, body: bytes) -> None:
    head, content, _ = received(ca, reply)
    assert (head.status, content) == (status, body)


def test_the_response_to_head_declares_a_length_and_has_no_content(ca: ThrowawayCA) -> None:
    head, content, _ = received(ca, lambda o, n: o.head(n, ("content-length", "5"), end=True), "HEAD")
    assert (head.fields.get("content-length"), content) == ("5", b"")


def test_trailers_are_kept_apart(ca: ThrowawayCA) -> None:
    head, content, trailers = received(
        ca, lambda o, n: o.head(n) + data(n, b"ok") + o.trailers(n, ("grpc-status", "0"), ("x", "1"))
    )
    assert (content, trailers.lines) == (b"ok", (("grpc-status", "0"), ("x", "1")))
    assert head.fields.lines == ()


def test_trailers_with_framing_fields_or_too_long_ones_are_dropped(ca: ThrowawayCA) -> None:
    for line in (("content-length", "2"), ("x", "a" * 2000)):
        _, content, trailers = received(
            ca,
            lambda o, n, line=line: o.head(n) + data(n, b"ok") + o.trailers(n, line),
            max_line=1000,  # type: ignore[misc]  # bound now
        )
        assert (content, trailers.lines) == (b"ok", ())


def test_interim_responses_are_passed_on_in_order(ca: ThrowawayCA) -> None:
    interims: list[tuple[int, str | None]] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(
            ask(origin), interim=lambda head: interims.append((head.status, head.fields.get("link")))
        )
        assert response.head.status == 200

    def reply(origin: Http2Peer, number: int) -> bytes:
        early = origin.head(number, status="100") + origin.head(number, ("link", "</a>"), status="103")
        return early + origin.head(number, end=True)

    converse(ca, conversation, http2(replying(reply)))  # type: ignore[arg-type]  # a script
    assert interims == [(100, None), (103, "</a>")]


# ---- refused


def failure_of(ca: ThrowawayCA, reply: Reply, method: str = "GET", **options: object) -> OriginFailure:
    """Return the failure that a response causes; the connection goes on."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        with pytest.raises(OriginFailure) as caught:
            await fetch_whole(client, ask(origin, method=method))
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1
        return caught.value

    return converse(ca, conversation, http2(replying(reply)), **options)  # type: ignore[arg-type]  # a script


MALFORMED: dict[str, Reply] = {
    "no status": lambda o, n: frames.header_frames(n, o.block(("x", "1")), end_stream=True),
    "status twice": lambda o, n: o.head(n, (":status", "200"), end=True),
    "status last": lambda o, n: frames.header_frames(n, o.block(("x", "1"), (":status", "200")), end_stream=True),
    "status of two digits": lambda o, n: o.head(n, status="20", end=True),
    "status of four digits": lambda o, n: o.head(n, status="2000", end=True),
    "status with a sign": lambda o, n: o.head(n, status="+20", end=True),
    "another pseudo-field": lambda o, n: o.head(n, (":path", "/"), end=True),
    "capitals": lambda o, n: o.head(n, ("X-Own", "1"), end=True),
    "a space in a name": lambda o, n: o.head(n, ("x own", "1"), end=True),
    "an empty name": lambda o, n: o.head(n, ("", "1"), end=True),
    "CR in a value": lambda o, n: o.head(n, ("x", "1\r2"), end=True),
    "LF in a value": lambda o, n: o.head(n, ("x", "1\n2"), end=True),
    "NUL in a value": lambda o, n: o.head(n, ("x", "1\0"), end=True),
    "connection": lambda o, n: o.head(n, ("connection", "close"), end=True),
    "transfer-encoding": lambda o, n: o.head(n, ("transfer-encoding", "chunked")) + data(n, b"0\r\n\r\n", end=True),
    "keep-alive": lambda o, n: o.head(n, ("keep-alive", "1"), end=True),
    "upgrade": lambda o, n: o.head(n, ("upgrade", "h2c"), end=True),
    "length that is no number": lambda o, n: o.head(n, ("content-length", "2x")) + data(n, b"ok", end=True),
    "two lengths": lambda o, n: o.head(n, ("content-length", "2"), ("content-length", "3")) + data(n, b"ok", end=True),
    "more content than declared": lambda o, n: o.head(n, ("content-length", "2")) + data(n, b"okay", end=True),
    "content before the head": lambda o, n: data(n, b"ok", end=True),
    "101": lambda o, n: o.head(n, status="101"),
    "an interim response as the last": lambda o, n: o.head(n, status="103", end=True),
    "a head within the content": lambda o, n: o.head(n) + data(n, b"ok") + o.head(n),
    "a pseudo-field in trailers": lambda o, n: o.head(n) + data(n, b"ok") + o.head(n, end=True),
    "capitals in trailers": lambda o, n: o.head(n) + data(n, b"ok") + o.trailers(n, ("X", "1")),
}


@pytest.mark.parametrize("reply", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_response_fails_alone(ca: ThrowawayCA, reply: Reply) -> None:
    failure = failure_of(ca, reply)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_PROTOCOL_ERROR, False)
    assert "localhost:" in failure.detail


def test_a_body_that_ends_short_of_its_length_is_incomplete(ca: ThrowawayCA) -> None:
    """RFC 9113 §8.1.1."""
    for reply in (
        lambda o, n: o.head(n, ("content-length", "5")) + data(n, b"ok", end=True),
        lambda o, n: o.head(n, ("content-length", "5"), end=True),
        lambda o, n: o.head(n, ("content-length", "5")) + data(n, b"ok") + o.trailers(n, ("x", "1")),
    ):
        assert failure_of(ca, reply).kind is FailureKind.HTTP_RESPONSE_INCOMPLETE


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (lambda o, n: o.head(n, ("x", "a" * 900), end=True), FailureKind.HTTP_RESPONSE_HEADER_SIZE),
        (lambda o, n: o.head(n, *[("x", "1")] * 30, end=True), FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE),
        (
            lambda o, n: b"".join([o.head(n, ("x", "a" * 400), status="103")] * 9),
            FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE,
        ),
        (lambda o, n: b"".join([o.head(n, status="103")] * 9), FailureKind.HTTP_PROTOCOL_ERROR),
    ],
    ids=["a long line", "many lines", "interim heads together", "many interim responses"],
)
def test_a_head_has_the_limits_of_http1(ca: ThrowawayCA, reply: Reply, kind: FailureKind) -> None:
    failure = failure_of(ca, reply, max_head=2000, max_line=800, max_fields=20, max_interim=8)
    assert failure.kind is kind


def test_a_lenient_host_may_repeat_its_length(ca: ThrowawayCA) -> None:
    head, content, _ = received(
        ca,
        lambda o, n: o.head(n, ("content-length", "2"), ("content-length", "2")) + data(n, b"ok", end=True),
        lenient=(glob("localhost"),),
    )
    assert (head.fields.all("content-length"), content) == (("2",), b"ok")


def test_the_origin_is_told_about_a_malformed_response(ca: ThrowawayCA) -> None:
    codes: list[tuple[int, int]] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure):
            await client.fetch(ask(origin))
        assert await fetch_whole(client, ask(origin)) == b"ok"

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(origin.head(request.number, ("X", "1")))
        codes.append(await origin.reset_with())
        await answering_all(origin)

    converse(ca, conversation, http2(script))
    assert codes == [(1, ErrorCode.PROTOCOL_ERROR)]
