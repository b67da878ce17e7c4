"""The keys of top: what each does, and that nothing is changed without a yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.cli.live.session import KEYS, Session
from addon.cli.live.snapshot import Watch
from addon.runtime.control_client import running_proxies
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.told_numbers import HOSTILE_URL, ToldNumbers


@pytest.fixture
def told() -> ToldNumbers:
    return ToldNumbers()


@pytest.fixture
def session(told: ToldNumbers, tmp_path: Path) -> Iterator[Session]:
    with running_proxy(tmp_path, **told.handlers()):
        watch = Watch(running_proxies(tmp_path))
        watch.look()
        yield Session(watch)


def press(session: Session, keys: list[str]) -> None:
    for key in keys:
        session.press(key)


def test_why_explains_the_selected_exchange_until_the_next_key(session: Session, told: ToldNumbers) -> None:
    press(session, ["down", "down", "up", "w"])
    assert told.asked == [("why", {"url": "http://a.test/49", "method": "GET", "fields": []})]
    assert session.page == ["http://a.test/49", "", "age: 5 s  (RFC 9111 §4.2.3)", "", "decision: hit, fresh"]
    session.press("q")
    assert (session.page, session.has_ended) == ((), False)


def test_copies_are_deleted_after_a_yes_only(session: Session, told: ToldNumbers) -> None:
    press(session, ["p", "n"])
    assert told.asked == []
    assert session.message == "nothing was changed"
    press(session, ["p", "y"])
    assert told.asked == [("purge", {"url": HOSTILE_URL, "by": "top"})]
    assert session.message == f"2 copies of {HOSTILE_URL} were deleted"


def test_the_mode_is_switched_after_a_yes_only(session: Session, told: ToldNumbers) -> None:
    press(session, ["o", "escape"])
    assert told.asked == []
    press(session, ["o", "y"])
    assert told.asked == [("mode", {"mode": "offline"})]


def test_only_exchanges_with_the_typed_text_are_listed(session: Session) -> None:
    press(session, ["/", *"NO-st", "x", "back", "enter"])
    assert [each["url"] for each in session.listed] == [HOSTILE_URL]
    press(session, ["/", "escape"])
    assert len(session.listed) == 51


def test_letters_of_commands_can_be_typed(session: Session) -> None:
    press(session, ["/", *"qwpo", "enter"])
    assert (session.pattern, session.has_ended, session.listed) == ("qwpo", False, [])
    press(session, ["w", "p"])  # nothing is selected
    assert session.question is None


def test_an_unknown_key_names_the_keys_and_q_ends(session: Session) -> None:
    session.press("z")
    assert session.message == KEYS
    session.press("q")
    assert session.has_ended
