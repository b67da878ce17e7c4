"""mitmproxy's recorded flows are replayed, read, filtered and exported with the cache as without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.cli.mitm import MAIN
from tests.fixtures.proxy_process import COMMANDS
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.installed_programs import run
from tests.programs.mitmproxy_cases import Case, client_got, compare, settings
from tests.programs.mitmproxy_runs import Ask, Mitmdump, Seen, play

RECORDED = (Ask("/text"), Ask("/page"), Ask("/form", "POST", content=b"a=1"), Ask("/large"))
TRAFFIC = (*RECORDED, Ask("/text"), Ask("/text"), Ask("/form", "POST", content=b"b=1"), Ask("/text?a=1"), Ask("/other"))
EXTRA = (Ask("/other"), Ask("/text?a=1"), *RECORDED[:3])
REPLAY = ("--server-replay", "{recorded}", *settings("keepserving=true"))


def _asked_for_new(seen: Seen) -> bool:
    """Return whether the origin was asked only for what is not recorded."""
    return not {"/large", "/page"} & {request.target for request in seen.origin}


CASES = (
    Case("server_replay", REPLAY, _asked_for_new, TRAFFIC),
    Case(
        "server_replay_kill_extra",
        (*REPLAY, *settings("server_replay_kill_extra=true")),
        lambda seen: not seen.origin and seen.client[0].error and seen.client[2].status == 200,
        EXTRA,
    ),
    Case(
        "server_replay_extra",
        (*REPLAY, *settings("server_replay_extra=204")),
        lambda seen: not seen.origin and [got.status for got in seen.client] == [204, 204, 200, 200, 200],
        EXTRA,
    ),
    Case(
        "server_replay_reuse",
        (*REPLAY, *settings("server_replay_reuse=true")),
        lambda seen: "/text" not in {request.target for request in seen.origin},
        TRAFFIC,
    ),
    Case(
        "server_replay_refresh",
        (*REPLAY, *settings("server_replay_refresh=false")),
        _asked_for_new,
        TRAFFIC,
    ),
    Case(
        "server_replay_ignore_content and server_replay_ignore_params",
        (
            *REPLAY,
            *settings("server_replay_ignore_content=true", "server_replay_ignore_params=a"),
            *settings("server_replay_reuse=true"),
        ),
        lambda seen: {request.target for request in seen.origin} == {"/other"},
        TRAFFIC,
    ),
    Case(
        "server_replay_ignore_host, server_replay_ignore_port and server_replay_ignore_payload_params",
        (
            *REPLAY,
            *settings("server_replay_ignore_host=true", "server_replay_ignore_port=true"),
            *settings("server_replay_ignore_payload_params=a"),
        ),
        _asked_for_new,
        TRAFFIC,
    ),
    Case(
        "server_replay_use_headers",
        (*REPLAY, *settings("server_replay_use_headers=Host")),
        _asked_for_new,
        TRAFFIC,
    ),
    Case("server_replay of a changed file", (*REPLAY, "-B", "/~s/hello/HELLO"), client_got(b"HELLO"), TRAFFIC),
)


@pytest.fixture(scope="module")
def recorded(echo: EchoOrigin, ca: ThrowawayCA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow file that a mitmdump without the cache has written."""
    folder = tmp_path_factory.mktemp("recorded")
    with Mitmdump(folder / "run", ca.file, (), cached=False) as mitmdump:
        play(mitmdump, echo, RECORDED)
    return folder / "run" / "flows"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_recorded_responses_are_replayed(
    case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path, recorded: Path
) -> None:
    compare(case, echo, ca, tmp_path, recorded)


def test_recorded_requests_are_sent_again(echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path, recorded: Path) -> None:
    """mitmdump ends by itself once it has sent them all."""
    seen = []
    for name in ("without", "cached"):
        echo.requests.clear()
        options = ("-C", str(recorded), *settings("client_replay_concurrency=1"))
        with Mitmdump(tmp_path / name, ca.file, options, cached=name == "cached") as mitmdump:
            mitmdump.wait()
        seen.append(
            (sorted(request.target for request in echo.requests), sorted(each.url for each in mitmdump.flows()))
        )

    assert seen[0] == seen[1]
    assert len(seen[1][0]) == len(RECORDED)


@pytest.mark.parametrize("filtered", [(), settings("readfile_filter=~u text")], ids=["all", "readfile_filter"])
def test_a_file_of_flows_is_read_and_written_again(
    filtered: tuple[str, ...], echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    """Comments, marks and metadata of the cache are kept."""
    with Mitmdump(tmp_path / "run", ca.file, (), cached=True) as mitmdump:
        play(mitmdump, echo, TRAFFIC)
    before = mitmdump.flows()
    written = tmp_path / "written"

    for addon in ((), ("-s", str(MAIN))):
        command = ("mitmdump", *addon, "-n", "-r", str(mitmdump.folder / "flows"), "-w", str(written), *filtered)
        printed = run(tmp_path, str(COMMANDS / command[0]), *command[1:])

        assert "rror" not in printed
        mitmdump.folder = tmp_path
        written.rename(tmp_path / "flows")
        assert mitmdump.flows() == [flow for flow in before if not filtered or "text" in flow.url]
        mitmdump.folder = tmp_path / "run"


def test_a_har_file_has_the_same_exchanges(echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    seen = []
    for name in ("without", "cached"):
        har = tmp_path / f"{name}.har"
        with Mitmdump(tmp_path / name, ca.file, settings(f"hardump={har}"), cached=name == "cached") as mitmdump:
            play(mitmdump, echo, TRAFFIC)
        entries = json.loads(har.read_text())["log"]["entries"]
        seen.append([(each["request"]["url"], each["response"]["content"].get("text")) for each in entries])

    assert seen[0] == seen[1]
    assert len(seen[1]) == len(TRAFFIC)


@pytest.mark.parametrize("wanted", ["~comment hit", "~meta secondhand", "~comment miss & ~u page", "~marked"])
def test_filters_find_what_the_cache_has_written(wanted: str, ca: ThrowawayCA, tmp_path: Path) -> None:
    with EchoOrigin() as echo, Mitmdump(tmp_path / "run", ca.file, (), cached=True) as mitmdump:
        play(mitmdump, echo, TRAFFIC)

    printed = run(
        tmp_path, str(COMMANDS / "mitmdump"), "-n", "-r", str(mitmdump.folder / "flows"), "--flow-detail", "1", wanted
    )

    assert printed.count(echo.url) == {"~comment hit": 2, "~meta secondhand": len(TRAFFIC), "~marked": 0}.get(wanted, 1)
