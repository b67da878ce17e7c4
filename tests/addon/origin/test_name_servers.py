"""Questions to name servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.origin.dns_answer import Answer
from addon.origin.name_servers import NameServers
from tests.fixtures import origin_client
from tests.fixtures.dns_server import DnsServer
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import LONGER_TIMEOUT, SHORT_TIMEOUT
from tests.fixtures.until import LONGEST

pytestmark = pytest.mark.usefixtures("each_loop")

LONG = 60.0
"""Seconds. No lookup of these tests takes so long."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a server for silent after a short time."""
    monkeypatch.setattr("addon.origin.name_servers.TRY_TIMEOUT", SHORT_TIMEOUT)


def converse[T](conversation: Callable[[DnsServer], Awaitable[T]], server: DnsServer) -> T:
    async def main() -> T:
        async with asyncio.timeout(LONGEST), server:
            return await conversation(server)

    with asyncio.Runner(loop_factory=origin_client.new_event_loop) as runner:
        return runner.run(main())


def asking(*servers: tuple[str, int], path: Path = Path("/nonexistent")) -> NameServers:
    name_servers = NameServers(path, servers)
    name_servers.changed()
    return name_servers


def answer_of(server: DnsServer, name: str, seconds: float = LONG) -> Answer:
    async def conversation(server: DnsServer) -> Answer:
        return await asking(server.address).ask(name, seconds)

    return converse(conversation, server)


def test_a_name_has_the_addresses_of_both_kinds_for_the_time_that_the_server_says() -> None:
    server = DnsServer({"a.test A": ["10.0.0.1", "10.0.0.2"], "a.test AAAA": ["2001:db8::1"]}, ttl=77)
    answer = answer_of(server, "a.test")
    assert (answer.addresses[0], set(answer.addresses[1:])) == ("2001:db8::1", {"10.0.0.1", "10.0.0.2"})
    assert answer.ttl == 77


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_one_kind_of_address_is_enough(kind: str) -> None:
    address = {"A": "10.0.0.1", "AAAA": "2001:db8::1"}[kind]
    assert answer_of(DnsServer({f"a.test {kind}": [address]}), "a.test").addresses == (address,)


def test_silence_about_ipv6_does_not_hold_up_ipv4() -> None:
    answer = answer_of(DnsServer({"a.test A": ["10.0.0.1"], "a.test AAAA": None}), "a.test")
    assert answer.addresses == ("10.0.0.1",)


def test_silence_about_ipv4_does_not_hide_ipv6() -> None:
    answer = answer_of(DnsServer({"a.test AAAA": ["2001:db8::1"], "a.test A": None}), "a.test", LONGER_TIMEOUT)
    assert answer.addresses == ("2001:db8::1",)


def test_a_name_that_does_not_exist_is_not_found() -> None:
    server = DnsServer({})
    answer = answer_of(server, "a.test")
    assert (answer.addresses, answer.rcode, answer.not_found, answer.timed_out) == ((), "NXDOMAIN", True, False)
    assert (
        answer.problem
        == f"the name server 127.0.0.1 port {server.address[1]} says that there is no such name (NXDOMAIN)"
    )


def test_a_name_without_addresses_is_not_found() -> None:
    answer = answer_of(DnsServer({"a.test MX": []}), "a.test")
    assert (answer.rcode, answer.not_found) == ("NOERROR", True)
    assert answer.problem.endswith("says that this name has no address")


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_a_server_that_fails_is_named(rcode: str) -> None:
    server = DnsServer({"a.test": rcode})
    answer = answer_of(server, "a.test")
    assert (answer.addresses, answer.rcode, answer.not_found, answer.timed_out) == ((), rcode, False, False)
    assert answer.problem == f"the name server 127.0.0.1 port {server.address[1]} answered {rcode}"


def test_a_silent_server_is_named() -> None:
    server = DnsServer({"a.test": None})
    answer = answer_of(server, "a.test", 0.2)
    assert (answer.addresses, answer.rcode, answer.not_found, answer.timed_out) == ((), "", False, True)
    assert answer.problem == f"the name server 127.0.0.1 port {server.address[1]} did not answer within 0.2 seconds"


def test_a_question_is_sent_again_as_a_datagram_may_be_lost() -> None:
    async def conversation(server: DnsServer) -> Answer:
        asking_once = asyncio.create_task(asking(server.address).ask("a.test", LONG))
        while len(server.questions) < 2:
            await asyncio.sleep(0)
        server.zone = {"a.test A": ["10.0.0.1"]}
        return await asking_once

    assert converse(conversation, DnsServer({"a.test": None})).addresses == ("10.0.0.1",)


@pytest.mark.parametrize("name", ["x" * 64 + ".test", "a..test"])
def test_an_invalid_name_is_not_asked_for(name: str) -> None:
    server = DnsServer({})
    assert answer_of(server, name).problem.startswith("it is not a valid name")
    assert server.questions == []


def test_a_truncated_answer_is_asked_for_again_by_tcp() -> None:
    server = DnsServer({"a.test A": ["10.0.0.1"]})
    server.truncated = True
    assert answer_of(server, "a.test").addresses == ("10.0.0.1",)


@pytest.mark.parametrize("first", [None, "SERVFAIL"])
def test_the_second_server_answers_if_the_first_does_not(first: str | None) -> None:
    async def conversation(server: DnsServer) -> None:
        async with DnsServer({"a.test": first, "b.test": first}) as bad:
            name_servers = asking(bad.address, server.address)
            assert (await name_servers.ask("a.test", LONG)).addresses == ("10.0.0.1",)
            assert (await name_servers.ask("b.test", LONG)).addresses == ("10.0.0.2",)
            asked_last = [question for question in bad.questions if question.startswith("b.test")]
            assert bool(asked_last) == (first is not None)  # a silent server is then put last

    converse(conversation, DnsServer({"a.test A": ["10.0.0.1"], "b.test A": ["10.0.0.2"]}))


def test_a_server_that_is_silent_about_some_names_stays_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.origin.name_servers.TRY_TIMEOUT", 0.5)  # an answer must come within this time

    async def conversation(server: DnsServer) -> None:
        async with DnsServer({}) as second:
            name_servers = asking(server.address, second.address)
            silent = asyncio.create_task(name_servers.ask("silent.test", LONG))
            while "silent.test A" not in server.questions:
                await asyncio.sleep(0)
            assert (await name_servers.ask("a.test", LONG)).addresses
            await silent
            assert (await name_servers.ask("a.test", LONG)).addresses

    converse(conversation, DnsServer({"a.test A": ["10.0.0.1"], "silent.test": None}))


def test_a_server_that_does_not_run_is_known_at_once() -> None:
    async def conversation(server: DnsServer) -> None:
        port = free_port(socket.SOCK_DGRAM)
        assert (await asking(("127.0.0.1", port), server.address).ask("a.test", LONG)).addresses
        answer = await asking(("127.0.0.1", port)).ask("a.test", LONG)
        assert answer.problem == f"the name server 127.0.0.1 port {port} does not run"
        assert not answer.timed_out

    converse(conversation, DnsServer({"a.test A": ["10.0.0.1"]}))


def test_a_server_in_a_zone_that_does_not_exist_is_named_with_the_reason() -> None:
    answer = asyncio.run(asking(("2001:db8::1%none", 53)).ask("a.test", LONG))
    assert answer.problem == "the name server 2001:db8::1%none could not be reached (no interface with this name)"


# The file


def test_search_domains_complete_short_names(tmp_path: Path) -> None:
    async def conversation(server: DnsServer) -> None:
        path = tmp_path / "resolv.conf"
        path.write_text("search one.test two.test\n")
        name_servers = asking(server.address, path=path)
        assert (await name_servers.ask("db", LONG)).addresses == ("10.0.0.2",)
        assert (await name_servers.ask("db.", LONG)).not_found  # an absolute name
        assert (await name_servers.ask("www.example", LONG)).addresses == ("10.0.0.3",)
        path.write_text("search three.test\n")
        assert name_servers.changed()
        assert (await name_servers.ask("db", LONG)).addresses == ("10.0.0.4",)

    zone = {"db.two.test": ["10.0.0.2"], "www.example.one.test": ["10.0.0.3"], "db.three.test": ["10.0.0.4"]}
    converse(conversation, DnsServer({f"{name} A": addresses for name, addresses in zone.items()}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 10.0.0.1\n", "10.0.0.1"),
        ("# nameserver 10.0.0.9\nnameserver\nnameserver bad\nnameserver fe80::1%lo", "fe80::1%lo"),
        ("".join(f"nameserver 10.0.0.{number}\n" for number in range(1, 5)), "10.0.0.1 or 10.0.0.2 or 10.0.0.3"),
        ("search a..b\nnameserver 10.0.0.1\n", "10.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_name_servers_are_those_of_the_file(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(text)
    assert str(asking(path=path)) == expected


def test_new_name_servers_in_the_file_are_used(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 10.0.0.1")
    name_servers = asking(path=path)
    assert not name_servers.changed()
    path.write_text("nameserver 192.168.1.1")
    assert name_servers.changed()
    assert str(name_servers) == "192.168.1.1"
