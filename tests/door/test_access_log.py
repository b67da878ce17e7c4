"""The access log (ledger SEC-10, yardstick A24): a line an answer, whatever a client writes into its request."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from addon.access_log import AccessLog, access_line, stamp
from addon.door.destination import Anywhere
from addon.door.request_head import Malformed, parse
from cache.messages import Request
from tests.addon.raw_origin import HEAD, RawOrigin, answering
from tests.door.doorway import Doorway, converse, get

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
    assert stamp(1_795_435_200) == "23/Nov/2026:12:00:00 +0000"


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
        line = access_line(Anywhere().request(head), 200, 5, None)
    except Malformed:
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
