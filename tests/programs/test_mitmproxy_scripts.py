"""Scripts of other people do the same with the cache as without it. They are of the kinds of mitmproxy's examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import LARGE, EchoOrigin
from tests.programs.mitmproxy_differences import assert_only_known_differences
from tests.programs.mitmproxy_runs import TRAFFIC, Ask, Mitmdump, Seen, play

SCRIPTS = Path(__file__).with_name("mitmproxy_scripts")


@dataclass(frozen=True)
class Case:
    """A script, and what shows that it had an effect beside the cache."""

    script: str
    shows: Callable[[Seen], object]


def _statuses(seen: Seen, *targets: str) -> list[int]:
    return [got.status for ask, got in zip(TRAFFIC, seen.client, strict=True) if ask.target in targets]


CASES = (
    Case("request_edit", lambda seen: all(("X-Script", "was here") in each.fields for each in seen.origin)),
    # what a script has changed is no 200 of the origin any more
    Case("response_edit", lambda seen: set(_statuses(seen, "/text", "/page", "/chunked", "/large")) == {203}),
    Case("answering", lambda seen: _statuses(seen, "/text", "/missing") == [200, 200, 200, 0]),
    Case("streaming", lambda seen: LARGE.upper() in [got.content for got in seen.client]),
    Case("streaming_requests", lambda seen: any(flow.content is None for flow in seen.flows)),
    Case("redirecting", lambda seen: any("127.0.0.1" in str(each.fields) for each in seen.origin)),
    Case(
        "annotating",
        lambda seen: {flow.comment for flow in seen.flows} == {f"flow {n + 1}" for n in range(len(TRAFFIC))},
    ),
)


@pytest.fixture(params=["http", "https"], scope="module")
def echo(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[EchoOrigin]:
    with EchoOrigin(ca.server_context("localhost", "127.0.0.1") if request.param == "https" else None) as echo:
        yield echo


@pytest.mark.parametrize("case", CASES, ids=[case.script for case in CASES])
def test_a_script_does_the_same_with_the_cache(case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    script = ("-s", str(SCRIPTS / f"{case.script}.py"))
    seen = []
    for name in ("without", "cached"):
        with Mitmdump(tmp_path / name, ca.file, script, cached=name == "cached") as mitmdump:
            seen.append(play(mitmdump, echo, TRAFFIC))
    without, cached = seen

    assert_only_known_differences(without, cached, contents="streaming" not in case.script)
    assert case.shows(cached)


def test_a_script_that_replays_changed_requests_gets_them_from_the_origin(
    echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    script = ("-s", str(SCRIPTS / "duplicating.py"))
    with Mitmdump(tmp_path / "cached", ca.file, script, cached=True) as mitmdump:
        seen = play(
            mitmdump,
            echo,
            (Ask("/other?again=yes"), Ask("/page"), Ask("/page")),
            settled=lambda: sum(each.target == "/other?again=yes" for each in echo.requests) == 3,
        )

    assert sum(each.target == "/other?again=yes" for each in seen.origin) == 3
