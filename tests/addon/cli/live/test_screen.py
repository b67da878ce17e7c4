"""The screen of top: it fits, a larger one shows more, and text from outside stays text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from addon.cli.live.screen import screen
from addon.cli.live.session import KEYS, Session
from addon.cli.live.snapshot import Change, Watch
from addon.runtime.control_client import running_proxies
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.told_numbers import ToldNumbers


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with running_proxy(tmp_path, **ToldNumbers().handlers()):
        yield Watch(running_proxies(tmp_path))


def drawn(change: Change, session: Session, width: int, height: int) -> list[str]:
    """Return the lines of the screen."""
    output = io.StringIO()
    Console(file=output, width=width, height=height, force_terminal=True, no_color=True, color_system=None).print(
        screen(change, session, height)
    )
    return output.getvalue().splitlines()


def test_a_small_terminal_has_all_parts_and_a_large_one_more_rows(watch: Watch) -> None:
    watch.look()
    change, session = watch.look(), Session(watch)
    small, large = drawn(change, session, 80, 24), drawn(change, session, 200, 60)
    for lines, height in ((small, 24), (large, 60)):
        assert height - 4 <= len(lines) <= height
        text = "\n".join(lines)
        for part in ("hit rate 75.0% now", "OUTCOME", "TIMES", "HOST", "DECISION/REASON", "mode auto", KEYS):
            assert part in text
    assert len([line for line in large if ".test " in line]) > len([line for line in small if ".test " in line])
    assert "\x1b]0;owned" not in "\n".join(large)
    assert "\\x1b]0;owned" in "\n".join(large)


def test_it_says_why_no_exchange_is_listed(tmp_path: Path) -> None:
    handlers = ToldNumbers().handlers()
    del handlers["exchanges"]
    with running_proxy(tmp_path, **handlers):
        watch = Watch(running_proxies(tmp_path))
        text = "\n".join(drawn(watch.look(), Session(watch), 80, 24))
    assert "Exchanges are listed only with an admin listener: admin.listen." in text
    assert "0.test" in text


def test_the_selected_exchange_is_always_shown(watch: Watch) -> None:
    change, session = watch.look(), Session(watch)
    for _ in range(40):
        session.press("down")
    assert "http://a.test/10 " in "\n".join(drawn(change, session, 80, 24))


def test_a_question_takes_the_place_of_the_keys(watch: Watch) -> None:
    change, session = watch.look(), Session(watch)
    session.press("down")
    session.press("p")
    assert drawn(change, session, 80, 24)[-1].rstrip() == "Delete all copies of http://a.test/49? y/n"
