"""X-Request-Id and Server-Timing: in every response if the operator wants them, and the same id everywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from addon.frontend.exchange_marks import NO_MARKS, ExchangeMarks
from addon.origin.exchange_times import ExchangeTimes
from addon.pipeline.reply import Reply
from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Request, Response
from cache.policy.reasons import Forwarded, NotStored
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, Script

ID = re.compile(r"[0-9a-f]{32}")
BOTH = {"request_id": True, "server_timing": True}
FRESH_WITH_ID = b"%bContent-Length: 2\r\nCache-Control: max-age=60\r\nX-Request-Id: origin\r\n\r\nok" % HEAD
MISS = Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.SET_COOKIE)


def request(*fields: tuple[str, str]) -> Request:
    return Request("GET", "http", "a.example", 80, "/", Fields(fields))


def timing(reply: Reply) -> str | None:
    return ExchangeMarks(server_timing=True).reply(request(), reply).head.fields.get("server-timing")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(Response(203, ""), handling=Handling(hit=True)), 'cache;desc="hit"'),
        (
            Reply(Response(200, ""), handling=MISS, upstream=ExchangeTimes(0.0123, 0.02, 0.004)),
            'cache;desc="uri-miss/set-cookie", connect;dur=4.0, origin;dur=12.3',
        ),
        (
            Reply(Response(200, ""), handling=MISS, upstream=ExchangeTimes(0.5)),
            'cache;desc="uri-miss/set-cookie", origin;dur=500.0',
        ),
        (
            Reply(Response(504, ""), refused="fetch-failed", upstream=ExchangeTimes(whole=2, connect=None)),
            'cache;desc="refused", origin;dur=2000.0',
        ),
        (Reply(Response(200, "")), 'cache;desc="own"'),
    ],
)
def test_server_timing_says_what_the_cache_did_and_how_long_the_origin_took(reply: Reply, expected: str) -> None:
    assert timing(reply) == expected


def test_without_the_settings_nothing_is_added() -> None:
    asked, reply = request(), Reply(Response(200, ""))
    assert NO_MARKS.request(asked, trusted=True) is asked
    assert NO_MARKS.reply(asked, reply) is reply


@pytest.mark.parametrize(
    ("given", "trusted", "kept"),
    [
        ("abc-1", True, True),
        ("abc-1", False, False),
        ("", True, False),
        ("a b", True, False),
        ('a"b', True, False),
        ("a" * 129, True, False),
        ("a, b", True, False),
    ],
)
def test_an_id_is_kept_if_a_trusted_proxy_sends_a_plain_one(given: str, trusted: bool, kept: bool) -> None:
    marks = ExchangeMarks(request_id=True)
    marked = marks.request(request(("X-Request-ID", given)), trusted=trusted)
    assert (marks.id_of(marked) == given) == kept
    assert len(marked.fields.all("x-request-id")) == 1
    assert kept or ID.fullmatch(marks.id_of(marked))


def records_ids(ids: list[str], *replies: bytes) -> Script:
    async def script(peer: Peer) -> None:
        for reply in replies:
            found = re.search(rb"(?im)^x-request-id: (.*)\r$", await peer.request())
            ids.append(found[1].decode() if found else "")
            await peer.send(reply)
        await peer.client_closed()

    return script


def lines_of(log: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_client_origin_and_log_have_the_same_id(tmp_path: Path) -> None:
    sent: list[str] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        answers = [await client.fetch(get(origin, "/a", "X-Request-Id: mine")) for _ in range(3)]
        ids = [answer.fields.get("x-request-id") or "" for answer in answers]
        assert len(set(ids)) == 3
        assert all(map(ID.fullmatch, ids))
        assert sent == ids[:1]
        timings = [(answer.fields.get("server-timing") or "").partition(",")[0] for answer in answers]
        assert timings == ['cache;desc="uri-miss"', 'cache;desc="hit"', 'cache;desc="hit"']
        await front_end.listener.close()
        assert [line["request_id"] for line in lines_of(tmp_path / "log")] == ids

    run_conversation(
        conversation,
        records_ids(sent, FRESH_WITH_ID),
        answer=BOTH,
        log={"access": str(tmp_path / "log"), "access_format": "json"},
    )


def test_over_http_2_it_is_the_same(tmp_path: Path) -> None:
    sent: list[str] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        answers = [await client.fetch("/a") for _ in range(2)]
        ids = [answer.heads[0]["x-request-id"] for answer in answers]
        assert ids[0] == sent[0] != ids[1]
        assert answers[1].heads[0]["server-timing"] == 'cache;desc="hit"'
        await front_end.listener.close()
        logged = [line["request_id"] for line in lines_of(tmp_path / "log") if line["decision"] != "tunnel"]
        assert logged == ids

    run_conversation(
        conversation,
        records_ids(sent, FRESH_WITH_ID),
        answer=BOTH,
        log={"access": str(tmp_path / "log"), "access_format": "json"},
    )


def test_the_id_of_an_origin_is_passed_on_if_there_is_no_own_one() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(3):
            assert (await client.fetch(get(origin, "/a"))).fields.get("x-request-id") == "origin"

    run_conversation(conversation, records_ids([], FRESH_WITH_ID))
