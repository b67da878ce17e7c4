"""The command log: conditions, the last lines, JSON, and what cannot be done."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from addon.cli import log as log_command
from tests.fixtures.command_line import secondhand as run

pytestmark = pytest.mark.usefixtures("default_settings")

LINES = """\
192.0.2.1 - - [x] "GET http://a.example/one HTTP/1.1" 200 5 uri-miss
192.0.2.1 - - [x] "GET http://a.example/one HTTP/1.1" 203 5 hit
192.0.2.2 - - [x] "GET http://b.example/two HTTP/1.1" 200 5 uri-miss/set-cookie
192.0.2.2 - - [x] "GET http://b.example/two HTTP/1.1" 502 5 -
192.0.2.2 - - [x] "-" 400 5 -
"""


@pytest.fixture
def log(default_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "access.log"
    file.write_text(LINES)
    monkeypatch.setenv("SECONDHAND_LOG__ACCESS", str(file))
    return file


def numbers(output: str) -> list[int]:
    """Return the numbers of the lines that were printed."""
    return [LINES.splitlines().index(line) + 1 for line in output.splitlines()]


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("-n", "2"), [4, 5]),
        (("--host", "a.example"), [1, 2]),
        (("--host", "*.example", "-n", "1"), [4]),
        (("--url", "/two"), [3, 4]),
        (("--url", "http://*/one"), [1, 2]),
        (("--status", "203"), [2]),
        (("--status", "4xx", "--status", "500-599"), [4, 5]),
        (("--decision", "hit"), [2]),
        (("--decision", "uri-miss"), [1, 3]),
        (("--reason", "set-cookie"), [3]),
        (("--client", "192.0.2.2", "--status", "2xx"), [3]),
    ],
)
def test_lines_that_fit_all_conditions_are_printed(options: tuple[str, ...], expected: list[int]) -> None:
    result = run("log", *options)
    assert result.exit_code == 0
    assert numbers(result.stdout) == expected


@pytest.mark.usefixtures("log")
def test_values_are_printed_as_json() -> None:
    found = json.loads(run("log", "--reason", "set-cookie", "--json").stdout)
    assert (found["uri"], found["decision"], found["remote_addr"]) == ("http://b.example/two", "uri-miss", "192.0.2.2")


def test_lines_in_another_format_are_counted(log: Path) -> None:
    log.write_text(LINES + "nonsense\n")
    result = run("log", "--status", "203")
    assert "1 lines are not in the format of the settings" in result.stderr
    assert numbers(result.stdout) == [2]


def test_another_file_can_be_read(log: Path) -> None:
    assert numbers(run("log", "--file", log.rename(log.with_suffix(".1")), "--decision", "hit").stdout) == [2]


@pytest.mark.usefixtures("log")
def test_a_condition_that_the_format_cannot_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_LOG__ACCESS_FORMAT", "combined")
    result = run("log", "--decision", "hit")
    assert result.exit_code == 1
    assert 'has no $decision; log.access_format = "json" has everything' in result.stderr


@pytest.mark.usefixtures("log")
def test_a_status_that_is_none_is_wrong_usage() -> None:
    result = run("log", "--status", "teapot")
    assert result.exit_code == 2
    assert 'expected a status like 404, 5xx or 500-503, found "teapot"' in result.stderr


def test_without_a_log_the_setting_is_named() -> None:
    result = run("log")
    assert result.exit_code == 1
    assert "log.access is empty" in result.stderr


def test_a_log_that_does_not_exist_is_not_found(log: Path) -> None:
    log.unlink()
    assert run("log").exit_code == 3


def test_a_log_that_is_standard_output_cannot_be_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_LOG__ACCESS", "/dev/null")
    result = run("log", "-f")
    assert result.exit_code == 1
    assert "/dev/null is no file" in result.stderr
    assert numbers(run("log", "--file", log, "-n", "1").stdout) == [5]


def test_a_followed_log_goes_on_with_what_is_added(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = threading.Semaphore(0)

    def wait(_: float) -> None:
        if looks.acquire(blocking=False):
            raise KeyboardInterrupt
        with log.open("a") as file:
            file.write(LINES.splitlines()[1] + "\n" + LINES.splitlines()[3] + "\n")
        looks.release()

    monkeypatch.setattr(log_command.time, "sleep", wait)
    result = run("log", "-f", "--decision", "hit")
    assert numbers(result.stdout) == [2, 2]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example", [0, 1]),
        ("a.example:8080", [1]),
        ("a.example:443", []),
        ("a.example:80", [0]),
        ("b.example:*", []),
    ],
)
def test_a_host_without_a_port_is_for_all_ports(log: Path, host: str, expected: list[int]) -> None:
    lines = [LINES.splitlines()[0], LINES.splitlines()[0].replace("a.example", "a.example:8080")]
    log.write_text("\n".join(lines) + "\n")
    assert run("log", "--host", host).stdout.splitlines() == [lines[number] for number in expected]
