"""The access log (ledger SEC-10): one valid line for each response, whatever bytes the request contains.

See docs/decisions.md, "A client cannot forge a line of the access log" and "A tunnel is logged when its kind is known".
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from addon.config.redaction import redaction
from addon.frontend.connections import HEAD_TIMEOUT
from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.request_head import MalformedRequest, parse
from addon.frontend.http1.request_target import ForwardProxyTargets
from addon.runtime.access_log.file import AccessLog
from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.access_log.variables import local_time
from cache.http.messages import Request
from tests.addon.frontend.front_end import (
    FRESH,
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    request_head,
    run_conversation,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering, endless
from tests.fixtures.until import settle, until

LINE = re.compile(r'\S+ - - \[[^\]]+\] "[^" ]+ [^" ]+ HTTP/1\.[01]" [0-9]{3} [0-9]+ \S+')


def log_settings(tmp_path: Path) -> dict[str, str]:
    return {"access": str(tmp_path / "log")}


def response_to(target: str) -> LoggedResponse:
    return LoggedResponse(200, 5, Request("GET", "http", "a.example", 80, target))


def format_line(target: str) -> str:
    return LineFormat().prepare(response_to(target)).partition("] ")[2]


def write(path: Path, *entries: tuple[float, str, LoggedResponse]) -> None:
    """Write entries of time, client and response to a log."""

    async def write_all() -> None:
        log = AccessLog(path)
        for at, client, response in entries:
            log.note_response(response, Sending(at, client))
        await log.close()

    asyncio.run(write_all())


def test_the_query_is_not_logged() -> None:
    assert format_line("/a?token=b") == '"GET http://a.example/a?[hidden] HTTP/1.1" 200 5 -'
    assert format_line("?a") == '"GET http://a.example?[hidden] HTTP/1.1" 200 5 -'


def test_the_query_is_logged_if_the_operator_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "shows_queries", True)
    assert format_line('/a?b="c"') == r'"GET http://a.example/a?b=\x22c\x22 HTTP/1.1" 200 5 -'


@pytest.mark.parametrize(("mask", "mode"), [(0, 0o640), (0o022, 0o640), (0o077, 0o600)])
def test_a_new_file_can_be_read_by_its_owner_and_group_at_most(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path / "log", (0.0, "client", response_to("/")))
    finally:
        os.umask(before)
    assert (tmp_path / "log").stat().st_mode & 0o777 == mode


def test_a_file_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "log").touch(0o604)
    (tmp_path / "log").chmod(0o604)
    write(tmp_path / "log", (0.0, "client", response_to("/")))
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o604


def test_a_file_that_cannot_be_written_is_found_out_beforehand(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        AccessLog(tmp_path / "nowhere" / "log").check()
    with pytest.raises(IsADirectoryError):
        AccessLog(tmp_path).check()
    AccessLog(tmp_path / "log").check()
    assert (tmp_path / "log").read_text() == ""


def test_a_named_pipe_may_have_no_reader_yet(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    AccessLog(tmp_path / "pipe").check()


def test_no_lines_are_not_reported_as_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "nowhere" / "log")
    assert not caplog.messages
    write(tmp_path / "nowhere" / "log", (0.0, "client", response_to("/")))
    assert "1 lines are lost" in caplog.text


def test_a_quotation_mark_in_the_target_is_escaped() -> None:
    assert format_line('/" 200 0 hit') == r'"GET http://a.example/\x22 200 0 hit HTTP/1.1" 200 5 -'


def test_the_timestamp_has_the_common_log_format() -> None:
    assert local_time(1_795_435_200) == "23/Nov/2026:12:00:00 +0000"


def test_a_line_contains_client_and_time(tmp_path: Path) -> None:
    write(
        tmp_path / "log", (1_795_435_200.9, "127.0.0.1", response_to("/")), (1_795_435_201.0, "::1", response_to("/"))
    )
    assert (tmp_path / "log").read_text().splitlines() == [
        '127.0.0.1 - - [23/Nov/2026:12:00:00 +0000] "GET http://a.example/ HTTP/1.1" 200 5 -',
        '::1 - - [23/Nov/2026:12:00:01 +0000] "GET http://a.example/ HTTP/1.1" 200 5 -',
    ]


@pytest.mark.parametrize("name", ["common", "combined", "json", "$remote_addr $time_iso8601", "$msec $remote_addr"])
def test_a_hit_has_the_line_of_any_other_response(name: str, tmp_path: Path) -> None:
    moments = [(0.0, "192.0.2.1"), (0.5, "192.0.2.1"), (0.5, "2001:db8::1"), (1.0, "2001:db8::1"), (1.0, "192.0.2.1")]
    own = LineFormat(name)

    async def write_all() -> None:
        hits, others = (AccessLog(tmp_path / each, own) for each in ("hits", "others"))
        for at, client in moments:
            hits.note_hit(at, client, asyncio.Transport(), own.prepare(response_to("/a%")))
            others.note_response(response_to("/a%"), Sending(at, client, transport=asyncio.Transport()))
        await hits.close()
        await others.close()

    asyncio.run(write_all())
    hits, others = (re.sub(r'"request_id": "\w+"', "", (tmp_path / each).read_text()) for each in ("hits", "others"))
    assert hits == others
    assert len(hits.splitlines()) == len(moments)


@pytest.mark.parametrize("byte", range(256))
def test_no_byte_of_a_target_breaks_the_line(byte: int, tmp_path: Path) -> None:
    target = bytes([byte])
    try:
        head = parse(b'GET http://%b.example/%b"%b HTTP/1.1\r\nHost: a\r\n\r\n' % (target, target, target))
        response = LoggedResponse(200, 5, ForwardProxyTargets().request(head))
    except MalformedRequest:
        return
    write(tmp_path / "log", (0.0, "127.0.0.1", response))
    text = (tmp_path / "log").read_bytes()
    assert LINE.fullmatch(text.decode("ascii").removesuffix("\n"))
    assert all(0x20 <= each < 0x7F for each in text[:-1])


def test_hits_and_misses_have_a_line(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(4):
            await client.fetch(get(origin, "/a?secret", "Authorization: Basic c2VjcmV0", method="HEAD"))
            await client.fetch(get(origin, "/a?secret"))
        assert front_end.connections.log is not None
        await front_end.connections.log.close()
        lines = (tmp_path / "log").read_text().splitlines()
        assert len(lines) == 8
        assert all(map(LINE.fullmatch, lines))
        assert not any("secret" in line or "c2Vj" in line for line in lines)
        assert lines[-1].endswith("203 2 hit")

    head = HEAD + b"Content-Length: 2\r\n\r\n"
    run_conversation(conversation, answering(head, FRESH, *[head] * 3), log=log_settings(tmp_path))


# ---- requests that are not forwarded, and tunnels


def lines_of(front_end: FrontEndUnderTest) -> list[str]:
    """Return the lines that wait for the disk, without client and time."""
    assert front_end.connections.log is not None
    return [line.partition("] ")[2].rstrip("\n") for line in front_end.connections.log._lines]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://a.example/?secret HTTP/1.1\r\n\r\n", 400),
        (b"GET /?secret HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX: " + b"a" * 70_000, 431),
        (b"CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ],
)
def test_a_request_that_cannot_be_parsed_is_logged_as_a_dash(data: bytes, status: int, tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(data)
        response = await client.response()
        assert response.status == status
        assert lines_of(front_end) == [f'"-" {status} {len(response.body)} -']

    run_conversation(conversation, endless, log=log_settings(tmp_path))


def test_a_request_head_that_times_out_has_a_line(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"GET")
        connections = front_end.connections
        await until(lambda: any(isinstance(each, Http1Connection) and each._buffer for each in connections))
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        response = await client.response()
        assert lines_of(front_end) == [f'"-" 408 {len(response.body)} -']

    run_conversation(conversation, endless, log=log_settings(tmp_path))


def test_a_refused_tunnel_is_logged_with_its_target(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"CONNECT a.example:22 HTTP/1.1\r\nHost: a.example:22\r\n\r\n")
        response = await client.response()
        assert lines_of(front_end) == [f'"CONNECT a.example:22 HTTP/1.1" 403 {len(response.body)} -']

    run_conversation(conversation, endless, listen="0.0.0.0:0", log=log_settings(tmp_path))


def test_an_opened_tunnel_is_logged_before_the_requests_inside(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = authority_of(origin)
        client = await front_end.tunnel(authority, client_tls())
        await client.fetch(get_in_tunnel(origin, "/?secret"))
        await client.fetch(request_head("nonsense", f"Host: {authority}"))
        client.disconnect()
        await until(lambda: not front_end.connections)
        lines = lines_of(front_end)
        assert lines[:2] == [
            f'"CONNECT {authority} HTTP/1.1" 200 0 tunnel',
            f'"GET https://{authority}/?[hidden] HTTP/1.1" 200 2 uri-miss/never-reusable',
        ]
        assert [line[:7] for line in lines[2:]] == ['"-" 400']

    run_conversation(conversation, endless, secure=origin_tls(), log=log_settings(tmp_path))


def test_an_unopened_tunnel_is_logged_at_its_end_with_the_bytes_that_its_client_received(tmp_path: Path) -> None:
    async def sends_1000_bytes(peer: Peer) -> None:
        await peer.request(b"\x02")
        await peer.send(b"a" * 1000)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        client.send(b"\x00\x01\x02")
        await client.read(1000)
        assert not lines_of(front_end)
        client.disconnect()
        await until(lambda: bool(lines_of(front_end)))
        assert lines_of(front_end) == [f'"CONNECT {authority_of(origin)} HTTP/1.1" 200 1000 tunnel']
        assert front_end.connections.log is not None
        assert front_end.connections.log._lines[0].startswith("127.0.0.1 - - [")

    run_conversation(conversation, sends_1000_bytes, log=log_settings(tmp_path))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x16", b"\x16\x03\x01\x00\x00", client_hello("a.example", "h2"), b"POST /"],
    ids=["nothing", "1 byte", "empty record", "client hello for h2", "start of a request"],
)
def test_a_tunnel_that_ends_early_has_one_line(data: bytes, tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(data)
        await asyncio.sleep(0)
        client.writer.transport.close()
        await until(lambda: bool(lines_of(front_end)) and not front_end.connections)
        await settle()
        assert lines_of(front_end) == ['"CONNECT a.example:443 HTTP/1.1" 200 0 tunnel']
        assert front_end.connections.log is not None
        assert front_end.connections.log._lines[0].startswith("127.0.0.1 - - [")

    run_conversation(conversation, endless, log=log_settings(tmp_path))


def test_a_connection_above_the_limit_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await front_end.client()
        await (await front_end.client()).rest()
        assert re.fullmatch('"-" 503 [0-9]+ -', *lines_of(front_end))

    run_conversation(conversation, endless, limits={"connections_per_client": 1}, log=log_settings(tmp_path))


def test_a_closing_front_end_writes_the_waiting_lines(tmp_path: Path) -> None:
    """Regression: the lines of the last second were lost when the proxy stopped."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await (await front_end.client()).fetch(get(origin, "/a"))

    run_conversation(conversation, endless, log=log_settings(tmp_path))
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert LINE.fullmatch(line)
