"""The commands that are sent again when servers of a Cluster refuse them, and how all replies become one list."""

from __future__ import annotations

import hiredis
import pytest

from cache.stores.redis.connection import Command, Reply
from cache.stores.redis.redirects import redirect

GET, SET = ("GET", "a"), ("SET", "a", "1")
TRANSACTION: tuple[Command, ...] = (("MULTI",), SET, ("RENAME", "a", "b"), ("EXEC",))


def refusal(text: str) -> hiredis.ReplyError:
    return hiredis.ReplyError(text)


ASK, MOVED, AGAIN = refusal("ASK 7 b:1"), refusal("MOVED 7 b:1"), refusal("TRYAGAIN some are not here")
ABORTED = refusal("EXECABORT Transaction discarded")


@pytest.mark.parametrize("replies", [[b"1", b"OK"], [refusal("OOM no memory"), b"OK"], [[1, 2], None]])
def test_what_was_not_refused_for_its_slot_is_not_sent_again(replies: list[Reply]) -> None:
    assert redirect([GET, SET], replies) is None


@pytest.mark.parametrize(
    ("refused", "kind", "place", "sent"),
    [
        (ASK, "ASK", "b:1", [("ASKING",), SET]),
        (MOVED, "MOVED", "b:1", [SET]),
        (AGAIN, "TRYAGAIN", "", [SET]),
    ],
)
def test_only_the_refused_command_is_sent_again(
    refused: hiredis.ReplyError, kind: str, place: str, sent: list[Command]
) -> None:
    found = redirect([GET, SET, GET], [b"1", refused, b"3"])
    assert found is not None
    assert (found.kind, found.place, list(found.commands)) == (kind, place, sent)
    replies: list[Reply] = [b"asked"] * (len(sent) - 1) + [b"2"]
    assert found.merged([b"1", refused, b"3"], replies) == [b"1", b"2", b"3"]


def test_a_transaction_is_sent_again_as_a_whole_after_one_asking() -> None:
    before: list[Reply] = [b"1", b"OK", ASK, ASK, ABORTED, b"3"]
    found = redirect([GET, *TRANSACTION, GET], before)
    assert found is not None
    assert found.commands == (("ASKING",), *TRANSACTION)
    executed: list[Reply] = [b"OK", b"QUEUED", b"QUEUED", [1, b"OK"]]
    assert found.merged(before, [b"asked", *executed]) == [b"1", *executed, b"3"]


def test_a_transaction_whose_names_have_left_when_it_was_executed_is_sent_again() -> None:
    found = redirect(TRANSACTION, [b"OK", b"QUEUED", b"QUEUED", ASK])
    assert found is not None
    assert found.positions == (0, 1, 2, 3)


def test_commands_for_several_servers_are_sent_to_one_after_the_other() -> None:
    before: list[Reply] = [ASK, refusal("ASK 8 c:1"), ASK]
    first = redirect([GET] * 3, before)
    assert first is not None
    assert (first.place, first.positions) == ("b:1", (0, 2))
    left = first.merged(before, [b"OK", b"1", b"OK", b"3"])
    second = redirect([GET] * 3, left)
    assert second is not None
    assert (second.place, second.positions) == ("c:1", (1,))
    assert second.merged(left, [b"OK", b"2"]) == [b"1", b"2", b"3"]
