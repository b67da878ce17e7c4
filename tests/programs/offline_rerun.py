"""Runs a command with its registry, and once more offline without registry and network."""

from __future__ import annotations

from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.secondhand_run import Runner, RunResult, without_network


def run_online_then_offline(
    runner: Runner, registry: AllHostsOrigin, first: tuple[str, ...], second: tuple[str, ...], **variables: str
) -> tuple[RunResult, RunResult]:
    """Run `first` with the registry, stop the registry, and run `second` offline. Return both results.

    Checks that all requests of `second` are answered from copies.
    """
    online = runner("--", *first, SECONDHAND_ORIGIN__PROXY=registry.proxy, **variables)
    assert online.code == 0, online.output + online.errors
    requests = len(registry.requests)
    registry.stop()

    offline = runner("--offline", "--", *second, wrapper=without_network(), **variables)

    assert offline.code == 0, offline.output + offline.errors
    assert len(registry.requests) == requests
    assert online.count("fetched") + online.count("from copies") == online.count("request") >= requests > 0
    assert offline.count("from copies") == offline.count("request") > 0
    assert offline.count("fetched") == 0
    assert offline.summary.endswith("nothing missing")
    return online, offline


def files_in_both(runner: Runner, *patterns: str) -> dict[str, bytes]:
    """Return the contents of the files in the folder `first` that match, by path.

    Checks that the folder `second` has the same files.
    """
    first, second = (
        {
            str(file.relative_to(runner.folder / name)): file.read_bytes()
            for pattern in patterns
            for file in (runner.folder / name).glob(pattern)
            if file.is_file()
        }
        for name in ("first", "second")
    )
    assert second == first
    return first
