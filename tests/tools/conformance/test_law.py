"""The law of 203 finds who breaks it. Each test is one conversation: what the origin was asked, what the client got."""

from __future__ import annotations

from tools.conformance.law import breaches
from tools.conformance.recording import Contact, Exchange, Recording
from tools.conformance.run import Answer

TARGET = "/test/one"


def asked(number: int, status: int | None, count: int | None = None, method: str = "GET") -> Contact:
    """The origin was asked with the client's request of that number."""
    return Contact(method, TARGET, {"req-num": str(number)}, status, count or number)


def got(number: int, status: int, count: int | None, **fields: str) -> Exchange:
    """The client got that status, with the origin's count in it."""
    sent = {"req-num": str(number)} | {name.replace("_", "-"): value for name, value in fields.items()}
    return Exchange("GET", TARGET, sent, status, {} if count is None else {"server-request-count": str(count)})


def broken(*said: Contact | Exchange, answer: Answer = "always") -> int:
    contacts = [one for one in said if isinstance(one, Contact)]
    exchanges = [one for one in said if isinstance(one, Exchange)]
    found, _ = breaches(Recording(exchanges=exchanges, contacts=contacts), answer)
    return len(found)


def test_a_relayed_answer_keeps_the_status_of_the_origin() -> None:
    assert not broken(asked(1, 200), got(1, 200, 1))
    assert not broken(asked(1, 203), got(1, 203, 1))
    assert broken(asked(1, 200), got(1, 203, 1))
    assert broken(asked(1, 404), got(1, 200, 1))


def test_the_copy_of_a_200_is_a_203() -> None:
    first = asked(1, 200), got(1, 200, 1)
    assert not broken(*first, got(2, 203, 1))
    assert broken(*first, got(2, 200, 1))


def test_with_origin_the_copy_of_a_200_is_a_200() -> None:
    first = asked(1, 200), got(1, 200, 1)
    assert not broken(*first, got(2, 200, 1), answer="origin")
    assert broken(*first, got(2, 203, 1), answer="origin")


def test_the_copy_of_any_other_status_keeps_it() -> None:
    first = asked(1, 404), got(1, 404, 1)
    assert not broken(*first, got(2, 404, 1))
    assert broken(*first, got(2, 203, 1))
    assert broken(*first, got(2, 304, 1, if_none_match='"a"'))
    assert not broken(asked(1, 203), got(1, 203, 1), got(2, 203, 1), answer="origin")


def test_a_copy_that_the_origin_confirmed_is_still_a_copy() -> None:
    said = asked(1, 200), got(1, 200, 1), asked(2, 304)
    assert not broken(*said, got(2, 203, 2))
    assert not broken(*said, got(2, 203, 1))
    assert broken(*said, got(2, 200, 2))
    assert not broken(*said, got(2, 304, 2, if_none_match='"a"'))
    assert broken(*said, got(2, 304, 2))


def test_a_copy_that_a_head_updated_is_still_the_copy_of_its_get() -> None:
    assert not broken(asked(1, 200), asked(2, 200, method="HEAD"), got(3, 203, 2))
    assert broken(asked(1, 404), asked(2, 200, method="HEAD"), got(3, 203, 2))


def test_the_client_may_ask_for_304_206_and_416() -> None:
    first = asked(1, 200), got(1, 200, 1)
    assert not broken(*first, got(2, 304, None, if_modified_since="then"))
    assert not broken(*first, got(2, 206, 1, range="bytes=0-1"))
    assert not broken(*first, got(2, 416, None, range="bytes=9-"))
    assert broken(*first, got(2, 304, None))
    assert broken(*first, got(2, 206, 1))
    assert broken(*first, got(2, 416, None))


def test_a_stale_copy_in_place_of_an_error_is_a_copy() -> None:
    said = asked(1, 200), got(1, 200, 1), asked(2, 503)
    assert not broken(*said, got(2, 203, 1))
    assert broken(*said, got(2, 200, 1))
    assert not broken(*said, got(2, 503, 2))


def test_what_the_background_fetched_is_not_what_the_client_got() -> None:
    said = asked(1, 200), got(1, 200, 1), asked(2, 200)
    assert not broken(*said, got(2, 203, 1))
    assert broken(*said, got(2, 200, 1))


def test_an_error_of_its_own_is_an_error() -> None:
    assert not broken(asked(1, None), got(1, 502, None))
    assert broken(asked(1, None), got(1, 203, None))
    assert broken(asked(1, None), got(1, 200, None))
