"""The same command once more, where what it fetches from is gone."""

from __future__ import annotations

from tests.programs.every_name import EveryName
from tests.programs.running import Ran, Runner, without_a_route


def run_again_without_it(
    runner: Runner, registry: EveryName, first: tuple[str, ...], second: tuple[str, ...], **variables: str
) -> tuple[Ran, Ran]:
    """Run a command, and another where the registry is gone and there is no route; return what came of both."""
    with_it = runner("--", *first, SECONDHAND_ORIGIN__PROXY=registry.proxy, **variables)
    assert with_it.code == 0, with_it.output + with_it.errors
    asked = len(registry.requests)
    registry.stop()

    without = runner("--offline", "--", *second, around=without_a_route(), **variables)

    assert without.code == 0, without.output + without.errors
    assert len(registry.requests) == asked
    assert with_it.count("fetched") + with_it.count("from copies") == with_it.count("request") >= asked > 0
    assert without.count("from copies") == without.count("request") > 0
    assert without.count("fetched") == 0
    assert without.summary.endswith("nothing missing")
    return with_it, without


def left_by_both(runner: Runner, *patterns: str) -> dict[str, bytes]:
    """Return the files like these that a command has left in `first`; another has left the same in `second`."""
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
