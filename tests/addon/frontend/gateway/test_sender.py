"""The sender of requests: equal ones of several clients have one name, and bytes that are no head have their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.trusted_proxies import TrustedProxies
from addon.frontend.gateway.forwarding import Forwarding
from addon.frontend.gateway.sender import Sender
from cache.http.client import NOBODY
from tests.addon.frontend.front_end import FRESH, FrontEndUnderTest, run_at_edge
from tests.fixtures.raw_origin import RawOrigin, answering

HEAD = b"GET / HTTP/1.1\r\nHost: a.example\r\n%b\r\n"
LINE = b"X-Forwarded-For: 203.0.113.%d\r\n"
TRUSTED = {"trusted_proxies": ["127.0.0.1"]}


def sender(peer: str = "10.0.0.1") -> Sender:
    return Sender(peer, Forwarding(TrustedProxies(["10.0.0.1"]), NOBODY), b"\n")


def test_equal_requests_of_several_clients_have_one_name_and_their_own_addresses() -> None:
    named = sender()
    assert named.name(HEAD % (LINE % 1)) == named.name(HEAD % (LINE % 2)) == named.name(HEAD % b"")
    for number in (1, 2):
        named.name(HEAD % (LINE % number))
        assert named.address() == f"203.0.113.{number}"
    named.name(HEAD % b"")
    assert named.address() == "10.0.0.1"


def test_what_a_proxy_says_about_a_request_is_a_part_of_its_name() -> None:
    named = sender()
    assert named.name(HEAD % b"X-Forwarded-Proto: https\r\n") != named.name(HEAD % b"X-Forwarded-Proto: http\r\n")


def test_an_untrusted_peer_cannot_write_the_name_of_a_trusted_ones_request() -> None:
    trusted, other = sender(), sender("192.0.2.1")
    head = HEAD % b"X-Forwarded-Proto: https\r\n"
    assert trusted.name(head) != other.name(head)
    assert not trusted.name(head).startswith(other.name(b"")[:1])


@pytest.mark.parametrize("data", [HEAD % b"" + LINE % 1, HEAD % b"" * 2, (HEAD % b"")[:-1], HEAD[:-4]])
def test_bytes_that_are_not_one_whole_head_have_a_name_of_their_own(data: bytes) -> None:
    assert sender().name(data) == b"\t\n" + data
    assert sender().name(data) != sender().name(HEAD % b"")


def test_requests_in_one_piece_are_each_logged_with_their_client(tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        client = await edge.client()
        await client.fetch(HEAD % (LINE % 1))
        client.send(b"".join(HEAD % (LINE % number) for number in (2, 3)))
        assert [(await client.response()).status for _ in range(2)] == [203, 203]
        assert (await client.fetch(HEAD % (LINE % 4))).status == 203
        assert (await client.fetch(HEAD % b"")).status == 203
        assert (await client.fetch(HEAD % b"" + LINE % 5)).status == 203
        client.send(b"\r\n")
        assert (await client.response()).status == 400  # the line behind the head is the beginning of another request

    run_at_edge(conversation, answering(FRESH), **TRUSTED, log={"access": str(log)})
    addresses = [line.partition(" ")[0] for line in log.read_text().splitlines()]
    assert addresses[:6] == [*(f"203.0.113.{number}" for number in (1, 2, 3, 4)), "127.0.0.1", "127.0.0.1"]
