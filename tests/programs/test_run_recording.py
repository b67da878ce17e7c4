"""Recordings of `secondhand run --record`, used by every command that takes the name of a recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.pages import page
from tests.fixtures.proxy_process import COMMANDS
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import Runner


@pytest.fixture
def runner(tmp_path: Path, ca: ThrowawayCA) -> Runner:
    return Runner(tmp_path, ca.file)


def fetch_command(url: str) -> tuple[str, ...]:
    return program("curl"), "-q", "--silent", "--show-error", "--fail", url


def record(runner: Runner, name: str, *urls: str) -> None:
    for url in urls:
        ran = runner("--record", name, "--proxy-localhost", "--", *fetch_command(url))
        assert ran.code == 0, ran.errors


def test_a_recording_is_listed_exported_scrubbed_compared_and_removed_by_its_name(
    runner: Runner, origin: Origin
) -> None:
    one, other = (origin.offer(path, page(json.dumps({"token": path}).encode())) for path in ("/one", "/other"))
    record(runner, "first", one, other)
    record(runner, "second", one)

    assert [row["name"] for row in json.loads(runner.secondhand("recordings", "list", "--json").output)] == [
        "first",
        "second",
    ]
    exported = runner.secondhand("export", "first", "--format", "har")
    assert (exported.code, exported.output) == (0, "first is in first.har\n")
    har = json.loads((runner.folder / "first.har").read_text())
    assert {entry["request"]["url"] for entry in har["log"]["entries"]} == {one, other}
    compared = runner.secondhand("diff", "first", "second")
    assert compared.code == 1
    assert other in compared.output
    assert runner.secondhand("scrub", "second", "--field", "ETag").code == 0
    assert runner.secondhand("recordings", "remove", "second").code == 0
    assert runner.secondhand("export", "second", "--format", "har").code == 3


def test_a_recording_is_replayed_by_its_name_without_a_network(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/replayed", page(b"hello", cache_control="no-store"))
    record(runner, "build", url)
    requests = len(origin.requests_for("/replayed"))

    replayed = runner("--replay", "build", "--proxy-localhost", "--", *fetch_command(url))
    missing = runner("--offline", "--replay", "build", "--proxy-localhost", "--", *fetch_command(f"{url}/more"))

    assert (replayed.code, replayed.output, replayed.count("from copies")) == (0, "hello", 1), replayed.errors
    assert (missing.code, f"1 MISSING: {url}/more" in missing.summary) == (22, True)
    assert len(origin.requests_for("/replayed")) == requests
    ci = runner("--ci", "--replay", "build", "--proxy-localhost", "--", "sh", "-c", f"curl -q -s {url}/more; true")
    assert ci.code == 120


def test_with_an_unknown_or_invalid_name_the_command_does_not_run(runner: Runner) -> None:
    unknown = runner("--replay", "nothing", "--", "touch", "ran")
    invalid = runner("--record", "../x", "--", "touch", "ran")

    assert (unknown.code, unknown.errors) == (
        3,
        "secondhand: there is no recording nothing; existing recordings: none; "
        "create one with: secondhand run --record nothing -- COMMAND\n",
    )
    assert invalid.code == 2
    assert "expected a name of letters" in invalid.errors
    assert not (runner.folder / "ran").exists()


def test_a_recording_is_not_removed_while_a_run_records_it(runner: Runner) -> None:
    remove = "secondhand recordings remove build"
    ran = runner("--record", "build", "--", "sh", "-c", f"{COMMANDS}/{remove}")
    assert ran.code == 1
    assert "secondhand run uses build: wait until its command has ended" in ran.errors
