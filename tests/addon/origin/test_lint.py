"""What `secondhand lint` says, of answers from a real loopback origin and of what a real store holds."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from addon.cli import app
from addon.origin.lint import Examined, Flaw, Level, findings
from cache.http.fields import imf_date
from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore
from tests.fixtures.raw_origin import RawOrigin, answering

SOUND = ["Cache-Control: max-age=60", 'ETag: "1"']
"""Fields that leave nothing to find."""


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(no_own_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def run(*arguments: str | Path) -> Result:
    """Run `lint`; a traceback fails the test that caused it."""
    result = CliRunner().invoke(app, ["lint", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@contextmanager
def origin(reply: bytes) -> Iterator[RawOrigin]:
    """Run an origin that gives each connection this reply and closes it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    raw = RawOrigin(answering(reply, then_close=True))
    try:
        asyncio.run_coroutine_threadsafe(raw.__aenter__(), loop).result()
        yield raw
        asyncio.run_coroutine_threadsafe(raw.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def reply(status: str, *lines: str, content: bytes = b"", date: str = "") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Date: {date or imf_date(time.time())}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + content


def judged(answer: bytes, *arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code and the findings about an answer."""
    with origin(answer) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/", "--json", *arguments)
    [report] = json.loads(result.stdout)
    return result.exit_code, report["findings"]


def flaws(answer: bytes, *arguments: str) -> set[str]:
    """Return the names of our own findings."""
    _, said = judged(answer, *arguments)
    return {finding["name"] for finding in said if finding["source"] != "httplint"}


def ok(*lines: str) -> bytes:
    return reply("200 OK", "Content-Length: 2", *lines, content=b"ok")


# ---- our own findings


def test_nothing_is_wrong_with_a_sound_response() -> None:
    exit_code, said = judged(ok(*SOUND))
    assert exit_code == 0
    assert {finding["level"] for finding in said} <= {"info", "good"}


FOUND: list[tuple[Flaw, bytes, tuple[str, ...]]] = [
    (Flaw.CODING_NOT_IN_VARY, ok(*SOUND, "Content-Encoding: br"), ("-H", "Accept-Encoding: br")),
    (Flaw.CONTENT_CUT_SHORT, reply("200 OK", "Content-Length: 3", *SOUND, content=b"ok"), ()),
    (Flaw.CONTENT_IN_204, reply("204 No Content", "Content-Length: 2", *SOUND, content=b"ok"), ()),
    (Flaw.CONTENT_IN_204, reply("204 No Content", "Transfer-Encoding: chunked", *SOUND, content=b"0\r\n\r\n"), ()),
    (Flaw.CONTENT_IN_205, reply("205 Reset Content", "Content-Length: 2", *SOUND, content=b"ok"), ()),
    (Flaw.CONTENT_IN_205, reply("205 Reset Content", *SOUND, content=b"until the connection closes"), ()),
    (Flaw.CONTRADICTION, ok("Cache-Control: max-age=60", "Cache-Control: max-age=61"), ()),
    (Flaw.CONTRADICTION, ok('Cache-Control: S-MaxAge, s-maxage="1", S-MAXAGE=2'), ()),
    (Flaw.DATE_UNREADABLE, reply("200 OK", "Content-Length: 0", *SOUND, date="yesterday"), ()),
    (Flaw.EXPIRES_UNREADABLE, ok("Expires: 0", 'ETag: "1"'), ()),
    (Flaw.MUST_UNDERSTAND_ALONE, ok("Cache-Control: max-age=60, must-understand"), ()),
    (Flaw.NEVER_REUSABLE, ok(), ()),
    (Flaw.PARTIAL_UNASKED, reply("206 Partial Content", "Content-Length: 2", *SOUND, content=b"ok"), ()),
    (Flaw.SET_COOKIE_WITHOUT_LIFETIME, ok('ETag: "1"', "Set-Cookie: a=b"), ()),
    (Flaw.SPACE_BESIDE_EQUALS, ok("Cache-Control: max-age =60"), ()),
    (Flaw.SPACE_BESIDE_EQUALS, ok("Cache-Control: max-age= 60"), ()),
    (Flaw.STALE_USE_FORBIDDEN, ok("Cache-Control: max-age=60, must-revalidate, stale-if-error=60"), ()),
    (Flaw.STALE_USE_FORBIDDEN, ok("Cache-Control: s-maxage=60, stale-while-revalidate=60"), ()),
    (Flaw.UNEXPECTED_304, reply("304 Not Modified", *SOUND), ()),
    (Flaw.VARY_STAR, ok(*SOUND, "Vary: Accept, *"), ()),
]


@pytest.mark.parametrize(("flaw", "answer", "arguments"), FOUND, ids=[flaw for flaw, _, _ in FOUND])
def test_a_flaw_is_found_and_nothing_else(flaw: Flaw, answer: bytes, arguments: tuple[str, ...]) -> None:
    assert flaws(answer, *arguments) == {flaw}


def test_every_flaw_has_its_conversation() -> None:
    assert {flaw for flaw, _, _ in FOUND} == set(Flaw)


NOT_FOUND: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("a 204 without content", reply("204 No Content", *SOUND), ()),
    ("a 205 without content", reply("205 Reset Content", "Content-Length: 0", *SOUND), ()),
    (
        "a 205 whose chunks hold nothing",
        reply("205 Reset Content", "Transfer-Encoding: chunked", *SOUND, content=b"0\r\n\r\n"),
        (),
    ),
    (
        "a 206 that was asked for",
        reply("206 Partial Content", "Content-Length: 2", "Content-Range: bytes 0-1/9", *SOUND, content=b"ok"),
        ("-H", "Range: bytes=0-1"),
    ),
    ("a 304 to a tag", reply("304 Not Modified", *SOUND), ("-H", 'If-None-Match: "1"')),
    ("a 304 to a date", reply("304 Not Modified", *SOUND), ("-H", "if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT")),
    ("the same value twice", ok('Cache-Control: max-age=60, max-age="60"'), ()),
    ("two lists of fields", ok('Cache-Control: max-age=60, private="a", private="b = c"'), ()),
    ("must-understand where it belongs", ok("Cache-Control: max-age=60, must-understand, no-store"), ()),
    ("what is not to be reused", ok("Cache-Control: no-store", "Set-Cookie: a=b"), ()),
    ("a status that nobody guesses about", reply("403 Forbidden", "Content-Length: 0"), ()),
    ("cookies with a lifetime", ok(*SOUND, "Set-Cookie: a=b"), ()),
    ("cookies in a private response", ok("Cache-Control: private", 'ETag: "1"', "Set-Cookie: a=b"), ()),
    (
        "a coding that Vary speaks of",
        ok(*SOUND, "Content-Encoding: br", "Vary: accept-encoding"),
        ("-H", "Accept-Encoding: br"),
    ),
]


@pytest.mark.parametrize(("answer", "arguments"), [case[1:] for case in NOT_FOUND], ids=[case[0] for case in NOT_FOUND])
def test_it_is_not_a_flaw(answer: bytes, arguments: tuple[str, ...]) -> None:
    assert flaws(answer, *arguments) == set()


def test_s_maxage_forbids_stale_use_unless_the_operator_says_otherwise(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[cache]\ns_maxage_allows_stale = true\n")
    answer = ok("Cache-Control: s-maxage=60, stale-while-revalidate=60")
    assert flaws(answer, "--config", str(config)) == set()


# ---- httplint's notes


def test_httplint_speaks_about_caching() -> None:
    exit_code, said = judged(ok("Cache-Control: max-age=60, public, private", "Age: old"))
    bad = {finding["name"]: finding for finding in said if finding["level"] == "bad"}
    assert exit_code == 1
    assert bad["STORE_PRIVATE_PUBLIC_CONFLICT"] == {
        "name": "STORE_PRIVATE_PUBLIC_CONFLICT",
        "level": "bad",
        "subject": "cache-control",
        "sentence": "This response contains both the public and private Cache-Control directives.",
        "source": "httplint",
    }
    assert bad["AGE_NOT_INT"]["subject"] == "age"


def test_a_note_about_a_line_names_its_field() -> None:
    _, said = judged(ok('ETag: "1"', "Cache-Control: max-age=60, Immutable"))
    assert {finding["subject"] for finding in said if finding["name"] == "CC_MISCAP"} == {"cache-control"}


def test_what_does_not_concern_caching_waits_for_all() -> None:
    answer = ok(*SOUND, "Content-Type: text/html", "Location: http://[", "X-Powered-By: steam")
    _, usually = judged(answer)
    _, everything = judged(answer, "--all")
    assert "LOCATION_BAD_URI" not in {finding["name"] for finding in usually}
    assert "LOCATION_BAD_URI" in {finding["name"] for finding in everything}


def test_a_fault_is_named_once() -> None:
    answer = reply(
        "206 Partial Content", "Content-Length: 2", "Expires: 0", "Vary: *", content=b"ok", date="Thu 1 Jan 2026"
    )
    _, said = judged(answer, "--all")
    names = {finding["name"] for finding in said}
    assert {Flaw.PARTIAL_UNASKED, Flaw.DATE_UNREADABLE, Flaw.EXPIRES_UNREADABLE, Flaw.VARY_STAR} <= names
    assert names.isdisjoint({"PARTIAL_NOT_REQUESTED", "BAD_DATE_SYNTAX", "VARY_ASTERISK"})


def test_content_that_is_not_what_its_coding_says_is_bad() -> None:
    content = b"this is as it is, and no gzip"
    coded = reply("200 OK", f"Content-Length: {len(content)}", "Content-Encoding: gzip", *SOUND, content=content)
    _, said = judged(coded)
    assert "BAD_GZIP" in {finding["name"] for finding in said}


def test_content_beyond_the_bound_is_not_judged() -> None:
    content = b"x" * 3_000_000
    _, said = judged(
        reply("200 OK", f"Content-Length: {len(content)}", "Content-Encoding: gzip", *SOUND, content=content)
    )
    assert {finding["name"] for finding in said}.isdisjoint({"BAD_GZIP", "CL_INCORRECT", Flaw.CONTENT_CUT_SHORT})


# ---- the command


def test_the_worst_comes_first_in_a_table() -> None:
    with origin(ok("Expires: 0", "Vary: *")) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/")
    title, columns, *rows = result.stdout.splitlines()
    assert (result.exit_code, title) == (1, "200 to GET")
    assert columns.split("\t") == ["LEVEL", "ABOUT", "FINDING", "SOURCE"]
    assert rows[0].split("\t") == ["bad", "expires", "no date: it counts as the past", "RFC 9111 §5.3"]
    levels = [list(Level).index(Level(row.split("\t")[0])) for row in rows]
    assert levels == sorted(levels)


def test_the_origin_is_sent_the_fields_as_typed() -> None:
    with origin(ok(*SOUND)) as raw:
        run(f"http://127.0.0.1:{raw.port}/path?q", "-H", "Accept: text/html", "--header", "X-Name:  Zoë ")
    [head] = raw.requests
    assert head.startswith(b"GET /path?q HTTP/1.1\r\n")
    assert b"\r\nAccept: text/html\r\nX-Name: Zo\xc3\xab\r\nUser-Agent: secondhand\r\n" in head


def test_a_user_agent_that_is_typed_is_the_only_one() -> None:
    with origin(ok(*SOUND)) as raw:
        run(f"http://127.0.0.1:{raw.port}/", "-H", "user-agent: other")
    assert raw.requests[0].lower().count(b"user-agent") == 1


def test_an_edge_asks_the_origin_behind_it(tmp_path: Path) -> None:
    with origin(ok(*SOUND)) as raw:
        config = tmp_path / "config.toml"
        config.write_text(f'edge = "http://127.0.0.1:{raw.port}"\n')
        result = run("http://app.test/", "--config", config)
    assert result.exit_code == 0
    assert b"Host: app.test\r\n" in raw.requests[0]


def test_an_origin_that_gives_no_answer_is_a_failure() -> None:
    with origin(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n") as raw:
        result = run(f"http://127.0.0.1:{raw.port}/")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Transfer-Encoding" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://a.test/",),
        ("http://a.test/", "-H", "no colon"),
        ("http://a.test/", "-H", "X: a\nb"),
        ("http://a.test/ b",),
        ("http://a.test/", "--stored", "-H", "Accept: */*"),
        ("a.test", "--stored"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*arguments, "--store", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


# ---- what is stored


def keep(directory: Path, uri: str, *fields: tuple[str, str], **options: object) -> None:
    store = DiskStore(directory, 1 << 24)
    now = time.time()
    head = Response(200, "OK", Fields((("Date", imf_date(now)), *fields)))
    writer = store.writer()
    writer.write(b"ok")
    writer.commit(
        StoredResponse(
            id=os.urandom(16).hex(),
            key=uri,
            method="GET",
            target=uri,
            head=head,
            request_time=now,
            response_time=now,
            stored_at=now,
            **options,  # type: ignore[arg-type]  # fields of the entry
        )
    )
    store.close()


def test_every_stored_variant_is_looked_at_by_what_the_origin_said(tmp_path: Path) -> None:
    vary, etag = ("Vary", "Accept-Language"), ("ETag", '"1"')
    sound, crooked = ("Cache-Control", "max-age=60"), ("Cache-Control", "max-age=1, max-age=2")
    keep(tmp_path, "http://a.test/", vary, etag, sound, vary=(("accept-language", "de"),))
    keep(tmp_path, "http://a.test/", vary, etag, crooked, vary=(("accept-language", None),))
    result = run("http://A.test:80", "--stored", "--store", tmp_path, "--json")
    reports = {report["vary"]["accept-language"]: report["findings"] for report in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert not [finding for finding in reports["de"] if finding["level"] == "bad"]
    assert [finding["name"] for finding in reports[None] if finding["level"] == "bad"] == [Flaw.CONTRADICTION]
    lines = run("http://a.test/", "--stored", "--store", tmp_path).stdout.splitlines()
    assert "200 to GET with accept-language: de" in lines
    assert "200 to GET with no accept-language" in lines


def test_what_is_stored_is_not_judged_by_a_request_that_nobody_knows(tmp_path: Path) -> None:
    keep(tmp_path, "http://a.test/", ("ETag", '"1"'), ("Cache-Control", "max-age=60"), ("Content-Encoding", "gzip"))
    result = run("http://a.test/", "--stored", "--store", tmp_path, "--json")
    [report] = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {finding["level"] for finding in report["findings"]} <= {"info", "good"}


def test_nothing_stored_is_not_found(tmp_path: Path) -> None:
    result = run("http://a.test/", "--stored", "--store", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nothing is stored for http://a.test/" in result.stderr
    assert not (tmp_path / "none").exists()


def test_offline_asks_no_origin(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[cache]\nmode = 'offline'\n")
    with origin(ok(*SOUND)) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/", "--config", config, "--store", tmp_path / "none")
    assert (result.exit_code, raw.connections) == (3, 0)


# ---- the house


def test_other_commands_do_not_load_httplint() -> None:
    code = "import addon.cli, sys; sys.exit('httplint' in sys.modules)"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(root)})


NAMES = st.sampled_from(["Cache-Control", "Date", "Expires", "Age", "Vary", "ETag", "Last-Modified", "Content-Range"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255)) | st.lists(
    st.sampled_from(
        ["max-age", "=", "0", "9" * 30, '"', ",", " ", "*", "W/", "Thu, 01 Jan 0001 00:00:00 GMT", "bytes", "-"]
    )
).map("".join)


@given(st.integers(200, 599), st.lists(st.tuples(NAMES, VALUES)), st.binary(), st.booleans())
def test_nothing_an_origin_says_makes_it_fail(
    status: int, lines: list[tuple[str, str]], content: bytes, whole: bool
) -> None:
    received = Received(Response(status, "\xff", Fields(tuple(lines))), 1_700_000_000.0, 1_700_000_000.5)
    for request in (None, request_for("http://a.test/", Fields(tuple(lines)))):
        findings(Examined(received, request, content, whole), CachePolicy(), everything=True)
