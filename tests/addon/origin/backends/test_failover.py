"""A request that fails at one origin of a site: whether another one gets it (RFC 9110 §9.2.2)."""

from __future__ import annotations

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, RequestContent
from tests.addon.origin.backends.several_origins import ask, body, naming, run_site
from tests.fixtures.origin_client import chunked
from tests.fixtures.raw_origin import LONGER_TIMEOUT, OK, Peer, RawOrigin, answering


async def closing(peer: Peer) -> None:
    """Read a request, and close the connection without a byte of a response."""
    await peer.request()
    await peer.close()


async def breaking_off(peer: Peer) -> None:
    """Send a part of a response head."""
    await peer.request()
    await peer.send(OK[:20])
    await peer.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "POST"])
def test_a_request_that_could_not_be_sent_goes_to_the_next_origin_whatever_it_is(method: str) -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        for _ in range(3):
            await body(client, ask(method=method))
        assert len(origins[2].requests) == 3

    run_site(conversation, naming(b"a"), naming(b"b"), naming(b"c"), closed=2)


def test_content_that_was_not_begun_goes_to_the_next_origin() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        content = RequestContent(chunked(b"a", b"b"), None)
        response = await client.fetch(ask(method="POST", has_content=True), content=content)
        assert response.head.status == 200
        assert b"POST / HTTP/1.1" in origins[1].requests[0]

    async def reading(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"0\r\n\r\n")
        await peer.send(OK)
        await peer.client_closed()

    run_site(conversation, naming(b"a"), reading, closed=1)


def test_an_idempotent_request_without_an_answer_is_sent_to_one_other_origin() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        assert await body(client, ask()) == b"b"
        assert [len(origin.requests) for origin in origins] == [1, 1]

    run_site(conversation, closing, naming(b"b"))


def test_it_is_sent_to_one_other_origin_only() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure):
            await client.fetch(ask())
        assert [len(origin.requests) for origin in origins] == [1, 1, 0]

    run_site(conversation, closing, closing, naming(b"c"))


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_request_that_may_have_changed_something_is_not_sent_again(method: str) -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(method=method))
        assert caught.value.kind is FailureKind.CONNECTION_TERMINATED
        assert origins[1].connections == 0

    run_site(conversation, closing, naming(b"b"))


def test_a_put_with_content_is_not_sent_again() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure):
            await client.fetch(ask(method="PUT", has_content=True), content=RequestContent(chunked(b"a"), None))
        assert origins[1].connections == 0

    run_site(conversation, closing, naming(b"b"))


def test_after_a_byte_of_a_response_a_request_is_not_sent_again() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure):
            await client.fetch(ask())
        assert origins[1].connections == 0

    run_site(conversation, breaking_off, naming(b"b"))


def test_a_failure_tells_if_another_origin_is_up() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(method="POST"))
        assert caught.value.others_up
        await origins[1].__aexit__()
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask())
        assert not caught.value.others_up

    run_site(conversation, closing, naming(b"b"))


def test_a_request_for_an_origin_that_is_silent_goes_to_another_one() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        assert await body(client, ask()) == b"b"
        assert await body(client, ask()) == b"b"  # the silent one is down
        assert len(origins[0].requests) == 1

    run_site(conversation, silent, naming(b"b"), origin_table={"first_byte_timeout": LONGER_TIMEOUT})


def test_an_answer_is_not_a_failure_whatever_its_status_is() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        response = await client.fetch(ask())
        assert (response.head.status, origins[1].connections) == (503, 0)

    run_site(conversation, answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), naming(b"b"))
