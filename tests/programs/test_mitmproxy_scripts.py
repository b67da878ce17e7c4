"""Scripts of other people do the same with the cache as without it. They are of the kinds of mitmproxy's examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import LARGE, EchoOrigin
from tests.programs.mitmproxy_cases import Case, Shows, client_got, compare, origin_saw
from tests.programs.mitmproxy_runs import TRAFFIC, Ask, Mitmdump, Seen, exchange, play

SCRIPTS = Path(__file__).with_name("mitmproxy_scripts")


def _script(name: str, shows: Shows, *, contents: bool = True) -> Case:
    return Case(name, ("-s", str(SCRIPTS / f"{name}.py")), shows, contents=contents)


def _statuses(seen: Seen, *targets: str) -> list[int]:
    return [got.status for ask, got in zip(TRAFFIC, seen.client, strict=True) if ask.target in targets]


CASES = (
    _script("request_edit", lambda seen: all(("X-Script", "was here") in each.fields for each in seen.origin)),
    # what a script has changed is no 200 of the origin any more
    _script("response_edit", lambda seen: set(_statuses(seen, "/text", "/page", "/chunked", "/large")) == {203}),
    _script("answering", lambda seen: _statuses(seen, "/text", "/missing") == [200, 200, 200, 0]),
    _script("answering_early", lambda seen: _statuses(seen, "/text", "/form") == [202, 202, 202, 202]),
    _script("streaming", lambda seen: LARGE.upper() in [got.content for got in seen.client], contents=False),
    _script("streaming_requests", lambda seen: any(flow.content is None for flow in seen.flows), contents=False),
    _script("redirecting", lambda seen: any("127.0.0.1" in str(each.fields) for each in seen.origin)),
    _script(
        "annotating",
        lambda seen: {flow.comment for flow in seen.flows} == {f"flow {n + 1}" for n in range(len(TRAFFIC))},
    ),
    _script(
        "observing",
        lambda seen: (
            {flow.metadata["hooks"] for flow in seen.flows} == {" requestheaders request responseheaders response"}
        ),
    ),
    _script("forms", client_got(b"received a=2&b=3")),
    _script("waiting", origin_saw("X-Waited", "yes")),
    _script("killing", lambda seen: _statuses(seen, "/text", "/page") == [0, 0, 0, 0]),
    _script("intercepting", lambda seen: _statuses(seen, "/page", "/large") == [0, 203, 203]),
    _script("passing", lambda seen: len(seen.origin) + len(seen.flows) >= len(TRAFFIC)),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_script_does_the_same_with_the_cache(case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    compare(case, echo, ca, tmp_path)


def test_applications_inside_mitmproxy_answer_and_are_not_stored(ca: ThrowawayCA, tmp_path: Path) -> None:
    """Both an application of a script, and mitmproxy's own pages."""
    options = ("-s", str(SCRIPTS / "hosting.py"), "--set", "onboarding_host=pages.example")
    with Mitmdump(tmp_path / "cached", ca.file, options, cached=True) as mitmdump:
        got = [
            exchange(mitmdump.port, url, ask)
            for url, ask in (("http://hosted.example", Ask("/text")), ("http://pages.example", Ask("/")))
            for _ in range(2)
        ]

    assert [each.status for each in got] == [200] * 4
    assert got[0].content == b"from the application"
    assert b"mitmproxy" in got[2].content
    assert not any(name.lower() == "cache-status" for each in got for name, _ in each.fields)


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
