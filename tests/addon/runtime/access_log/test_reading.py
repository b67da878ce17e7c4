"""Lines of the access log are read back by their format, and a growing log is followed when it is renamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.access_log.reading import GrowingLog, LineReader
from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Request
from cache.policy.reasons import Forwarded, NotStored

RESPONSE = LoggedResponse(
    200,
    5,
    Request("GET", "http", "a.example", 81, "/a", Fields((("User-Agent", 'x" 404 - "'),))),
    handling=Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.NO_STORE),
)
EVERY_FORMAT = ["common", "combined", "json", "$status;$request_time;${uri}"]


def logged(name: str) -> str:
    line_format = LineFormat(name)
    return line_format.prepare(RESPONSE) % line_format.values(Sending(0.0, "192.0.2.1"))


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_what_was_written_is_read(name: str) -> None:
    values = LineReader(name).read(logged(name))
    assert values is not None
    assert (values["status"], values["uri"], values["host"]) == ("200", "http://a.example:81/a", "a.example:81")


@pytest.mark.parametrize("name", ["common", "json"])
def test_decision_and_reason_are_known(name: str) -> None:
    reader = LineReader(name)
    values = reader.read(logged(name))
    assert values is not None
    assert reader.knows("decision")
    assert (values["decision"], values["reason"]) == ("uri-miss", "no-store")


def test_a_format_without_a_value_does_not_know_it() -> None:
    assert not LineReader("combined").knows("decision")
    assert not LineReader("$status").knows("host")


@pytest.mark.parametrize("name", EVERY_FORMAT)
@pytest.mark.parametrize("line", ["", "nonsense", "[]", "{", '{"status": ', "[" * 100_000])
def test_a_line_in_another_format_has_no_values(name: str, line: str) -> None:
    assert LineReader(name).read(line) is None


def test_a_line_in_which_the_texts_of_the_format_are_repeated_is_refused_at_once() -> None:
    many = "".join(f"${name} " for name in ("status", "uri", "pid", "scheme", "site", "host", "msec", "request_id"))
    assert LineReader(f"{many}end").read(" " * 100_000) is None  # to try all places for each value would never end


def test_a_value_ends_where_the_next_text_begins_first_and_the_last_one_where_the_line_ends() -> None:
    values = LineReader("$status $uri $pid.").read("200 /a 1 2. 3.")
    assert values is not None
    assert (values["status"], values["uri"], values["pid"]) == ("200", "/a", "1 2. 3")


def test_the_target_of_a_tunnel_is_its_host() -> None:
    tunnel = '::1 - - [time] "CONNECT a.example:443 HTTP/1.1" 200 0 tunnel'
    values = LineReader("common").read(tunnel)
    assert values is not None
    assert values["host"] == "a.example:443"


def test_a_log_is_followed_when_lines_are_added_and_it_is_renamed_or_emptied(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    growing = GrowingLog(log, log.stat().st_size)
    assert list(growing.added()) == []
    with log.open("a") as file:
        file.write("one\ntw")
    assert list(growing.added()) == ["one"]
    with log.open("a") as file:
        file.write("o\n")
        file.flush()
        log.rename(tmp_path / "log.1")
        assert list(growing.added()) == ["two"]
        file.write("three\n")
    log.write_text("four\nfive\n")
    assert list(growing.added()) == ["three", "four", "five"]
    log.write_text("six\n")
    assert list(growing.added()) == ["six"]
    growing.close()
