"""The access log (ledger SEC-10, yardstick A24): a line an answer, whatever a client writes into its request."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from addon.frontend.http1.connection import Conversation
from addon.frontend.http1.frontend import HEAD_TIMEOUT
from addon.frontend.http1.request_head import MalformedRequest, parse
from addon.frontend.http1.request_target import ForwardProxyTargets
from addon.runtime.access_log import AccessLog, access_line, timestamp
from cache.http.messages import Request
from tests.addon.frontend.connect.test_tunnel import hello
from tests.addon.frontend.doorway import Doorway, converse, get, origin_tls, request, trusting, until
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering, endless

FRESH = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
LINE = re.compile(r'\S+ - - \[[^\]]+\] "[^" ]+ [^" ]+ HTTP/1\.[01]" [0-9]{3} [0-9]+ \S+')


def line_of(target: str) -> str:
    return access_line(Request("GET", "http", "a.example", 80, target), 200, 5, None)


def write(path: Path, *answers: tuple[float, str, str]) -> None:
    async def noted() -> None:
        log = AccessLog(path)
        for answer in answers:
            log.note(*answer)
        await log.close()

    asyncio.run(noted())


def test_a_query_is_nobodys_business() -> None:
    assert line_of("/a?token=b") == '"GET http://a.example/a HTTP/1.1" 200 5 -'
    assert line_of("?a") == '"GET http://a.example HTTP/1.1" 200 5 -'


def test_a_quote_cannot_end_what_is_quoted() -> None:
    assert line_of('/" 200 0 hit') == '"GET http://a.example/%22 200 0 hit HTTP/1.1" 200 5 -'


def test_a_moment_is_said_as_web_servers_do() -> None:
    assert timestamp(1_795_435_200) == "23/Nov/2026:12:00:00 +0000"


def test_a_line_says_when_and_who(tmp_path: Path) -> None:
    write(tmp_path / "log", (1_795_435_200.9, "127.0.0.1", line_of("/")), (1_795_435_201.0, "::1", line_of("/")))
    assert (tmp_path / "log").read_text().splitlines() == [
        '127.0.0.1 - - [23/Nov/2026:12:00:00 +0000] "GET http://a.example/ HTTP/1.1" 200 5 -',
        '::1 - - [23/Nov/2026:12:00:01 +0000] "GET http://a.example/ HTTP/1.1" 200 5 -',
    ]


@pytest.mark.parametrize("octet", range(256))
def test_no_octet_of_a_target_makes_another_line(octet: int, tmp_path: Path) -> None:
    target = bytes([octet])
    try:
        head = parse(b'GET http://%b.example/%b"%b HTTP/1.1\r\nHost: a\r\n\r\n' % (target, target, target))
        line = access_line(ForwardProxyTargets().request(head), 200, 5, None)
    except MalformedRequest:
        return
    write(tmp_path / "log", (0.0, "127.0.0.1", line))
    text = (tmp_path / "log").read_bytes()
    assert LINE.fullmatch(text.decode("ascii").removesuffix("\n"))
    assert all(0x20 <= each < 0x7F for each in text[:-1])


def test_every_answer_has_its_line_ready_or_not(tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        for _ in range(4):
            await client.ask(get(origin, "/a?secret", "Authorization: Basic c2VjcmV0", method="HEAD"))
            await client.ask(get(origin, "/a?secret"))
        assert doorway.door.log is not None
        await doorway.door.log.close()
        lines = (tmp_path / "log").read_text().splitlines()
        assert len(lines) == 8
        assert all(map(LINE.fullmatch, lines))
        assert not any("secret" in line or "c2Vj" in line for line in lines)
        assert lines[-1].endswith("203 2 hit")

    head = HEAD + b"Content-Length: 2\r\n\r\n"
    converse(conversation, answering(head, FRESH, *[head] * 3), log={"access": str(tmp_path / "log")})


# ---- answers without a request that was sent on


def lines_of(doorway: Doorway) -> list[str]:
    """Return the lines that wait for the disk, but for who and when."""
    assert doorway.door.log is not None
    return [line.partition("] ")[2].rstrip("\n") for line in doorway.door.log._lines]


def logged(tmp_path: Path) -> dict[str, str]:
    return {"access": str(tmp_path / "log")}


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://a.example/?secret HTTP/1.1\r\n\r\n", 400),
        (b"GET /?secret HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX: " + b"a" * 70_000, 431),
        (b"CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ],
)
def test_what_was_not_understood_is_a_dash(octets: bytes, status: int, tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(octets)
        heard = await client.answer()
        assert heard.status == status
        assert lines_of(doorway) == [f'"-" {status} {len(heard.body)} -']

    converse(conversation, endless, log=logged(tmp_path))


def test_a_head_that_came_too_slowly_has_its_line(tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(b"GET")
        connections = doorway.door.connections
        await until(lambda: any(isinstance(each, Conversation) and each._buffer for each in connections))
        doorway.later(HEAD_TIMEOUT + 1)
        heard = await client.answer()
        assert lines_of(doorway) == [f'"-" 408 {len(heard.body)} -']

    converse(conversation, endless, log=logged(tmp_path))


def test_a_tunnel_that_is_refused_says_to_where(tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(b"CONNECT a.example:22 HTTP/1.1\r\nHost: a.example:22\r\n\r\n")
        heard = await client.answer()
        assert lines_of(doorway) == [f'"CONNECT a.example:22 HTTP/1.1" 403 {len(heard.body)} -']

    converse(conversation, endless, listen="0.0.0.0:0", log=logged(tmp_path))


def test_a_tunnel_that_is_opened_is_logged_before_what_is_asked_inside(tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await doorway.tunnel(authority, trusting())
        await client.ask(request("GET /?secret HTTP/1.1", f"Host: {authority}"))
        await client.ask(request("nonsense", f"Host: {authority}"))
        client.leave()
        await until(lambda: not doorway.door.connections)
        lines = lines_of(doorway)
        assert lines[:2] == [
            f'"CONNECT {authority} HTTP/1.1" 200 0 tunnel',
            f'"GET https://{authority}/ HTTP/1.1" 200 2 uri-miss',
        ]
        assert [line[:7] for line in lines[2:]] == ['"-" 400']

    converse(conversation, endless, secure=origin_tls(), log=logged(tmp_path))


def test_a_tunnel_that_stays_closed_is_logged_when_it_ends_with_what_its_client_got(tmp_path: Path) -> None:
    async def answers(peer: Peer) -> None:
        await peer.request(b"\x02")
        await peer.send(b"a" * 1000)
        await peer.client_closed()

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await doorway.tunnel(authority)
        client.send(b"\x00\x01\x02")
        await client.octets(1000)
        assert not lines_of(doorway)
        client.leave()
        await until(lambda: bool(lines_of(doorway)))
        assert lines_of(doorway) == [f'"CONNECT {authority} HTTP/1.1" 200 1000 tunnel']
        assert doorway.door.log is not None
        assert doorway.door.log._lines[0].startswith("127.0.0.1 - - [")

    converse(conversation, answers, log=logged(tmp_path))


@pytest.mark.parametrize("octets", [b"", b"\x16", b"\x16\x03\x01\x00\x00", hello("a.example", "h2"), b"POST /"])
def test_whatever_becomes_of_a_tunnel_it_has_one_line(octets: bytes, tmp_path: Path) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        client.send(octets)
        await asyncio.sleep(0)
        client.writer.transport.close()
        await until(lambda: bool(lines_of(doorway)) and not doorway.door.connections)
        await asyncio.sleep(0.01)
        assert lines_of(doorway) == ['"CONNECT a.example:443 HTTP/1.1" 200 0 tunnel']
        assert doorway.door.log is not None
        assert doorway.door.log._lines[0].startswith("127.0.0.1 - - [")

    converse(conversation, endless, log=logged(tmp_path))


def test_who_is_one_too_many_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        await doorway.client()
        await (await doorway.client()).rest()
        assert re.fullmatch('"-" 503 [0-9]+ -', *lines_of(doorway))

    converse(conversation, endless, limits={"connections_per_client": 1}, log=logged(tmp_path))


def test_a_door_that_closes_writes_what_waits(tmp_path: Path) -> None:
    """The lines of the last second were lost when the proxy was told to stop."""

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        await (await doorway.client()).ask(get(origin, "/a"))

    converse(conversation, endless, log=logged(tmp_path))
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert LINE.fullmatch(line)
