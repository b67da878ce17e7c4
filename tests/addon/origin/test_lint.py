"""The findings of `secondhand lint` about responses of a real loopback origin and of a real store."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from pkgutil import iter_modules

import pytest
from httplint.field import parsers
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from addon.cli import app
from addon.origin.lint import CheckedResponse, Flaw, Level, findings
from cache.http.fields import imf_date
from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore
from tests.fixtures.imported_modules import found, modules_after
from tests.fixtures.raw_origin import RawOrigin, Script, answering

SOUND = ["Cache-Control: max-age=60", 'ETag: "1"']
"""Fields that cause no bad finding and no warning."""


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(default_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def run(*arguments: str | Path) -> Result:
    """Run `lint`; a traceback fails the test that caused it."""
    result = CliRunner().invoke(app, ["lint", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def origin(reply: bytes) -> AbstractContextManager[RawOrigin]:
    """Run an origin that sends this reply on each connection and closes it."""
    return origin_of(answering(reply, then_close=True))


@contextmanager
def origin_of(script: Script) -> Iterator[RawOrigin]:
    """Run an origin that follows a script on each connection."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    raw = RawOrigin(script)
    try:
        asyncio.run_coroutine_threadsafe(raw.__aenter__(), loop).result()
        try:
            yield raw
        finally:
            asyncio.run_coroutine_threadsafe(raw.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def reply(status: str, *lines: str, content: bytes = b"", date: str = "") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Date: {date or imf_date(time.time())}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + content


def linted(response: bytes, *arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code and the findings about a response."""
    with origin(response) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/", "--json", *arguments)
    [report] = json.loads(result.stdout)
    return result.exit_code, report["findings"]


def flaws(response: bytes, *arguments: str) -> set[str]:
    """Return the names of the findings of our own checks."""
    _, reported = linted(response, *arguments)
    return {finding["name"] for finding in reported if finding["source"] != "httplint"}


def ok(*lines: str) -> bytes:
    return reply("200 OK", "Content-Length: 2", *lines, content=b"ok")


# ---- our own checks


def test_a_sound_response_has_no_bad_finding_and_no_warning() -> None:
    exit_code, reported = linted(ok(*SOUND))
    assert exit_code == 0
    assert {finding["level"] for finding in reported} <= {"info", "good"}


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
    (Flaw.MALFORMED_MEMBER, ok("Cache-Control: max-age=60, no-store; foo"), ()),
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


@pytest.mark.parametrize(("flaw", "response", "arguments"), FOUND, ids=[flaw for flaw, _, _ in FOUND])
def test_the_flaw_is_the_only_finding(flaw: Flaw, response: bytes, arguments: tuple[str, ...]) -> None:
    assert flaws(response, *arguments) == {flaw}


def test_every_flaw_has_a_test_case() -> None:
    # that flaw needs an origin that answers two requests differently: see test_lint_compression.py
    assert {flaw for flaw, _, _ in FOUND} == set(Flaw) - {Flaw.UNCOMPRESSED_WITH_VIA}


NOT_FOUND: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("a 204 without content", reply("204 No Content", *SOUND), ()),
    ("a 205 without content", reply("205 Reset Content", "Content-Length: 0", *SOUND), ()),
    (
        "a 205 with empty chunked content",
        reply("205 Reset Content", "Transfer-Encoding: chunked", *SOUND, content=b"0\r\n\r\n"),
        (),
    ),
    (
        "a 206 to a range request",
        reply("206 Partial Content", "Content-Length: 2", "Content-Range: bytes 0-1/9", *SOUND, content=b"ok"),
        ("-H", "Range: bytes=0-1"),
    ),
    ("a 304 to a tag", reply("304 Not Modified", *SOUND), ("-H", 'If-None-Match: "1"')),
    ("a 304 to a date", reply("304 Not Modified", *SOUND), ("-H", "if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT")),
    ("the same value twice", ok('Cache-Control: max-age=60, max-age="60"'), ()),
    ("two lists of fields", ok('Cache-Control: max-age=60, private="a", private="b = c"'), ()),
    ("must-understand with no-store", ok("Cache-Control: max-age=60, must-understand, no-store"), ()),
    ("a response that must not be reused", ok("Cache-Control: no-store", "Set-Cookie: a=b"), ()),
    ("a status that is not heuristically cacheable", reply("403 Forbidden", "Content-Length: 0"), ()),
    ("cookies with a lifetime", ok(*SOUND, "Set-Cookie: a=b"), ()),
    ("cookies in a private response", ok("Cache-Control: private", 'ETag: "1"', "Set-Cookie: a=b"), ()),
    (
        "a coding with Accept-Encoding in Vary",
        ok(*SOUND, "Content-Encoding: br", "Vary: accept-encoding"),
        ("-H", "Accept-Encoding: br"),
    ),
]


@pytest.mark.parametrize(
    ("response", "arguments"), [case[1:] for case in NOT_FOUND], ids=[case[0] for case in NOT_FOUND]
)
def test_it_is_not_a_flaw(response: bytes, arguments: tuple[str, ...]) -> None:
    assert flaws(response, *arguments) == set()


def test_a_malformed_member_is_named() -> None:
    _, reported = linted(ok('ETag: "1"', f"Cache-Control: max-age=60; public, x = y, {'a b' * 40}"))
    sentences = [finding["sentence"] for finding in reported if finding["name"] == Flaw.MALFORMED_MEMBER]
    assert sentences == [
        "`max-age=60; public` is not a directive: it can only restrict",
        f"`{'a b' * 20}...` is not a directive: it can only restrict",
    ]


def test_s_maxage_forbids_stale_use_unless_the_settings_allow_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[cache]\ns_maxage_allows_stale = true\n")
    response = ok("Cache-Control: s-maxage=60, stale-while-revalidate=60")
    assert flaws(response, "--config", str(config)) == set()


# ---- httplint's notes


def test_httplints_notes_about_caching_are_findings() -> None:
    exit_code, reported = linted(ok("Cache-Control: max-age=60, public, private", "Age: old"))
    bad = {finding["name"]: finding for finding in reported if finding["level"] == "bad"}
    assert exit_code == 1
    assert bad["STORE_PRIVATE_PUBLIC_CONFLICT"] == {
        "name": "STORE_PRIVATE_PUBLIC_CONFLICT",
        "level": "bad",
        "subject": "cache-control",
        "sentence": "This response contains both the public and private Cache-Control directives.",
        "source": "httplint",
    }
    assert bad["AGE_NOT_INT"]["subject"] == "age"


def test_a_note_about_a_field_line_names_its_field() -> None:
    _, reported = linted(ok('ETag: "1"', "Cache-Control: max-age=60, Immutable"))
    assert {finding["subject"] for finding in reported if finding["name"] == "CC_MISCAP"} == {"cache-control"}


def test_notes_that_do_not_concern_caching_need_the_option_all() -> None:
    response = ok(*SOUND, "Content-Type: text/html", "Location: http://[", "X-Powered-By: steam")
    _, by_default = linted(response)
    _, everything = linted(response, "--all")
    assert "LOCATION_BAD_URI" not in {finding["name"] for finding in by_default}
    assert "LOCATION_BAD_URI" in {finding["name"] for finding in everything}


def test_an_error_that_httplint_finds_too_is_reported_once() -> None:
    response = reply(
        "206 Partial Content", "Content-Length: 2", "Expires: 0", "Vary: *", content=b"ok", date="Thu 1 Jan 2026"
    )
    _, reported = linted(response, "--all")
    names = {finding["name"] for finding in reported}
    assert {Flaw.PARTIAL_UNASKED, Flaw.DATE_UNREADABLE, Flaw.EXPIRES_UNREADABLE, Flaw.VARY_STAR} <= names
    assert names.isdisjoint({"PARTIAL_NOT_REQUESTED", "BAD_DATE_SYNTAX", "VARY_ASTERISK"})


def test_content_that_does_not_match_its_coding_is_bad() -> None:
    content = b"this is plain text, not gzip"
    coded = reply("200 OK", f"Content-Length: {len(content)}", "Content-Encoding: gzip", *SOUND, content=content)
    _, reported = linted(coded)
    assert "BAD_GZIP" in {finding["name"] for finding in reported}


def test_content_above_the_limit_is_not_checked() -> None:
    content = b"x" * 3_000_000
    _, reported = linted(
        reply("200 OK", f"Content-Length: {len(content)}", "Content-Encoding: gzip", *SOUND, content=content)
    )
    assert {finding["name"] for finding in reported}.isdisjoint({"BAD_GZIP", "CL_INCORRECT", Flaw.CONTENT_CUT_SHORT})


# ---- the command


def test_the_table_lists_the_worst_finding_first() -> None:
    with origin(ok("Expires: 0", "Vary: *")) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/")
    title, columns, *rows = result.stdout.splitlines()
    assert (result.exit_code, title) == (1, "200 to GET")
    assert columns.split("\t") == ["LEVEL", "ABOUT", "FINDING", "SOURCE"]
    assert rows[0].split("\t") == ["bad", "expires", "not a date: it counts as the past", "RFC 9111 §5.3"]
    levels = [list(Level).index(Level(row.split("\t")[0])) for row in rows]
    assert levels == sorted(levels)


def test_fields_are_sent_as_typed() -> None:
    with origin(ok(*SOUND)) as raw:
        run(f"http://127.0.0.1:{raw.port}/path?q", "-H", "Accept: text/html", "--header", "X-Name:  Zoë ")
    [head] = raw.requests
    assert head.startswith(b"GET /path?q HTTP/1.1\r\n")
    assert b"\r\nAccept: text/html\r\nX-Name: Zo\xc3\xab\r\nUser-Agent: secondhand\r\n" in head


def test_a_typed_user_agent_replaces_our_own() -> None:
    with origin(ok(*SOUND)) as raw:
        run(f"http://127.0.0.1:{raw.port}/", "-H", "user-agent: other")
    assert raw.requests[0].lower().count(b"user-agent") == 1


def test_in_edge_mode_the_request_goes_to_the_origin_of_the_edge(tmp_path: Path) -> None:
    with origin(ok(*SOUND)) as raw:
        config = tmp_path / "config.toml"
        config.write_text(f'edge = "http://127.0.0.1:{raw.port}"\n')
        result = run("http://app.test/", "--config", config)
    assert result.exit_code == 0
    assert b"Host: app.test\r\n" in raw.requests[0]


def test_an_invalid_response_is_a_failure() -> None:
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
def test_an_invalid_request_is_wrong_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*arguments, "--store", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


# ---- stored responses


def store_response(directory: Path, uri: str, *fields: tuple[str, str], **options: object) -> None:
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
            **options,  # type: ignore[arg-type]  # fields of StoredResponse
        )
    )
    store.close()


def test_every_stored_variant_is_checked(tmp_path: Path) -> None:
    vary, etag = ("Vary", "Accept-Language"), ("ETag", '"1"')
    sound, contradictory = ("Cache-Control", "max-age=60"), ("Cache-Control", "max-age=1, max-age=2")
    store_response(tmp_path, "http://a.test/", vary, etag, sound, vary=(("accept-language", "de"),))
    store_response(tmp_path, "http://a.test/", vary, etag, contradictory, vary=(("accept-language", None),))
    result = run("http://A.test:80", "--stored", "--store", tmp_path, "--json")
    reports = {report["vary"]["accept-language"]: report["findings"] for report in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert not [finding for finding in reports["de"] if finding["level"] == "bad"]
    assert [finding["name"] for finding in reports[None] if finding["level"] == "bad"] == [Flaw.CONTRADICTION]
    lines = run("http://a.test/", "--stored", "--store", tmp_path).stdout.splitlines()
    assert "200 to GET with accept-language: de" in lines
    assert "200 to GET with no accept-language" in lines


def test_a_stored_response_gets_no_findings_that_need_its_request(tmp_path: Path) -> None:
    store_response(
        tmp_path, "http://a.test/", ("ETag", '"1"'), ("Cache-Control", "max-age=60"), ("Content-Encoding", "gzip")
    )
    result = run("http://a.test/", "--stored", "--store", tmp_path, "--json")
    [report] = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {finding["level"] for finding in report["findings"]} <= {"info", "good"}


def test_a_url_without_stored_response_is_not_found(tmp_path: Path) -> None:
    result = run("http://a.test/", "--stored", "--store", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nothing is stored for http://a.test/" in result.stderr
    assert not (tmp_path / "none").exists()


def test_offline_sends_no_request(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[cache]\nmode = 'offline'\n")
    with origin(ok(*SOUND)) as raw:
        result = run(f"http://127.0.0.1:{raw.port}/", "--config", config, "--store", tmp_path / "none")
    assert (result.exit_code, raw.connections) == (3, 0)


# ---- imports and robustness


def test_other_commands_do_not_load_httplint() -> None:
    modules = modules_after("import addon.cli")
    assert "addon.cli" in modules
    assert not found({"httplint"}, modules)


NAMES = st.sampled_from(["Cache-Control", "Date", "Expires", "Age", "Vary", "ETag", "Last-Modified", "Content-Range"])
NAMES |= st.sampled_from([each.name.replace("_", "-") for each in iter_modules(parsers.__path__)])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255)) | st.lists(
    st.sampled_from(
        ["max-age", "=", "0", "9" * 30, '"', ",", " ", "*", "W/", "Thu, 01 Jan 0001 00:00:00 GMT", "bytes", "-"]
    )
).map("".join)


@given(st.integers(200, 599), st.lists(st.tuples(NAMES, VALUES)), st.binary(), st.booleans())
def test_no_response_makes_the_checks_raise(
    status: int, lines: list[tuple[str, str]], content: bytes, whole: bool
) -> None:
    received = Received(Response(status, "\xff", Fields(tuple(lines))), 1_700_000_000.0, 1_700_000_000.5)
    for request in (None, request_for("http://a.test/", Fields(tuple(lines)))):
        findings(CheckedResponse(received, request, content, whole), CachePolicy(), everything=True)
