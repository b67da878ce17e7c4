"""The cache's own options in mitmdump."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from addon.cli.mitm import MAIN
from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_runs import TRAFFIC, Ask, Lines, Mitmdump, play


def _set(*settings: str) -> tuple[str, ...]:
    return tuple(part for setting in settings for part in ("--set", setting))


def _undated(fields: Lines) -> Lines:
    return tuple(line for line in fields if line[0] != "Date")


@pytest.fixture
def echo() -> EchoOrigin:
    return EchoOrigin(None)


def test_when_it_is_off_all_flows_are_as_without_it(echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    with echo:
        with Mitmdump(tmp_path / "without", ca.file, (), cached=False) as mitmdump:
            without = play(mitmdump, echo, TRAFFIC)
        with Mitmdump(tmp_path / "off", ca.file, _set("secondhand=false"), cached=True) as mitmdump:
            off = play(mitmdump, echo, TRAFFIC)

    for dated in (without, off):
        dated.client[:] = [replace(got, fields=_undated(got.fields)) for got in dated.client]
        dated.flows[:] = [replace(flow, response_fields=_undated(flow.response_fields)) for flow in dated.flows]
    assert off.client == without.client
    assert off.origin == without.origin
    assert off.flows == without.flows
    assert not (tmp_path / "off" / "store").exists()


@pytest.mark.parametrize(
    ("options", "status"),
    [((), 203), (("secondhand_answer=origin",), 200), (("secondhand_answer=always",), 203)],
)
def test_an_option_sets_the_status_of_a_copy(
    options: tuple[str, ...], status: int, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    with echo, Mitmdump(tmp_path / "cached", ca.file, _set(*options), cached=True) as mitmdump:
        seen = play(mitmdump, echo, (Ask("/text"), Ask("/text")))

    assert [got.status for got in seen.client] == [200, status]


def test_offline_needs_no_origin(echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    with echo:
        with Mitmdump(tmp_path / "run", ca.file, (), cached=True) as mitmdump:
            play(mitmdump, echo, (Ask("/text"),))
        with Mitmdump(tmp_path / "run", ca.file, _set("secondhand_mode=offline"), cached=True) as mitmdump:
            seen = play(mitmdump, echo, (Ask("/text"), Ask("/page")))

    assert [got.status for got in seen.client] == [203, 504]
    assert seen.origin == []


@pytest.mark.parametrize(("option", "status"), [("secondhand_replay=false", 200), ("secondhand_replay=true", 203)])
def test_client_replay_asks_the_origin_unless_an_option_says_otherwise(
    option: str, status: int, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    recorded = tmp_path / "recorded"
    with echo:
        with Mitmdump(tmp_path / "run", ca.file, (), cached=True) as mitmdump:
            play(mitmdump, echo, (Ask("/text"),))
        (tmp_path / "run" / "flows").rename(recorded)
        options = (*_set(option, "keepserving=true"), "-C", str(recorded))
        with Mitmdump(tmp_path / "run", ca.file, options, cached=True) as mitmdump:
            until = time.monotonic() + TIMEOUT
            while "<< " not in mitmdump.log and time.monotonic() < until:
                time.sleep(0.02)

    (flow,) = mitmdump.flows()
    assert flow.status == status
    assert len(echo.requests) == (2 if status == 200 else 1)


@pytest.mark.parametrize(
    "option", ["secondhand_mode=off", "secondhand_answer=203", "secondhand_config=/no/such", "secondhand=maybe"]
)
def test_a_bad_value_ends_the_start_with_a_sentence(option: str, tmp_path: Path) -> None:
    command = [COMMANDS / "mitmdump", "-s", str(MAIN), "--listen-port", "0", *_set(option)]

    ended = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=TIMEOUT)

    assert ended.returncode == 1
    assert "expected" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
