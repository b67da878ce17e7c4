"""The check of the 203 rule finds violations. Each test is one conversation, as the origin and the client saw it."""

from __future__ import annotations

from tools.conformance.recording import Exchange, OriginRequest, Recording
from tools.conformance.rule_203 import violations
from tools.conformance.run import AnswerStatus

TARGET = "/test/one"


def origin_got(number: int, status: int | None, count: int | None = None, method: str = "GET") -> OriginRequest:
    """Return the client's request of that number at the origin, which answered with `status`."""
    return OriginRequest(method, TARGET, {"req-num": str(number)}, status, count or number)


def client_got(number: int, status: int, count: int | None, **fields: str) -> Exchange:
    """Return the exchange of that number; its response has the origin's `count`. `fields` are those of the request."""
    sent = {"req-num": str(number)} | {name.replace("_", "-"): value for name, value in fields.items()}
    return Exchange("GET", TARGET, sent, status, {} if count is None else {"server-request-count": str(count)})


def violated(*messages: OriginRequest | Exchange, answer: AnswerStatus = "always") -> bool:
    recording = Recording(
        exchanges=[each for each in messages if isinstance(each, Exchange)],
        origin_requests=[each for each in messages if isinstance(each, OriginRequest)],
    )
    found, _ = violations(recording, answer)
    return bool(found)


def test_a_relayed_response_keeps_the_status_of_the_origin() -> None:
    assert not violated(origin_got(1, 200), client_got(1, 200, 1))
    assert not violated(origin_got(1, 203), client_got(1, 203, 1))
    assert violated(origin_got(1, 200), client_got(1, 203, 1))
    assert violated(origin_got(1, 404), client_got(1, 200, 1))


def test_the_copy_of_a_200_is_a_203() -> None:
    first = origin_got(1, 200), client_got(1, 200, 1)
    assert not violated(*first, client_got(2, 203, 1))
    assert violated(*first, client_got(2, 200, 1))


def test_with_answer_status_origin_the_copy_of_a_200_is_a_200() -> None:
    first = origin_got(1, 200), client_got(1, 200, 1)
    assert not violated(*first, client_got(2, 200, 1), answer="origin")
    assert violated(*first, client_got(2, 203, 1), answer="origin")


def test_the_copy_of_any_other_status_keeps_it() -> None:
    first = origin_got(1, 404), client_got(1, 404, 1)
    assert not violated(*first, client_got(2, 404, 1))
    assert violated(*first, client_got(2, 203, 1))
    assert violated(*first, client_got(2, 304, 1, if_none_match='"a"'))
    assert not violated(origin_got(1, 203), client_got(1, 203, 1), client_got(2, 203, 1), answer="origin")


def test_a_copy_that_the_origin_confirmed_is_still_a_copy() -> None:
    before = origin_got(1, 200), client_got(1, 200, 1), origin_got(2, 304)
    assert not violated(*before, client_got(2, 203, 2))
    assert not violated(*before, client_got(2, 203, 1))
    assert violated(*before, client_got(2, 200, 2))
    assert not violated(*before, client_got(2, 304, 2, if_none_match='"a"'))
    assert violated(*before, client_got(2, 304, 2))


def test_a_copy_that_a_response_to_head_updated_is_still_the_copy_of_its_get() -> None:
    assert not violated(origin_got(1, 200), origin_got(2, 200, method="HEAD"), client_got(3, 203, 2))
    assert violated(origin_got(1, 404), origin_got(2, 200, method="HEAD"), client_got(3, 203, 2))


def test_304_206_and_416_are_allowed_only_if_the_client_asked_for_them() -> None:
    first = origin_got(1, 200), client_got(1, 200, 1)
    assert not violated(*first, client_got(2, 304, None, if_modified_since="then"))
    assert not violated(*first, client_got(2, 206, 1, range="bytes=0-1"))
    assert not violated(*first, client_got(2, 416, None, range="bytes=9-"))
    assert violated(*first, client_got(2, 304, None))
    assert violated(*first, client_got(2, 206, 1))
    assert violated(*first, client_got(2, 416, None))


def test_a_stale_copy_in_place_of_an_error_is_a_copy() -> None:
    before = origin_got(1, 200), client_got(1, 200, 1), origin_got(2, 503)
    assert not violated(*before, client_got(2, 203, 1))
    assert violated(*before, client_got(2, 200, 1))
    assert not violated(*before, client_got(2, 503, 2))


def test_the_response_to_a_background_revalidation_is_not_the_one_that_the_client_got() -> None:
    before = origin_got(1, 200), client_got(1, 200, 1), origin_got(2, 200)
    assert not violated(*before, client_got(2, 203, 1))
    assert violated(*before, client_got(2, 200, 1))


def test_an_error_of_the_proxy_has_an_error_status() -> None:
    assert not violated(origin_got(1, None), client_got(1, 502, None))
    assert violated(origin_got(1, None), client_got(1, 203, None))
    assert violated(origin_got(1, None), client_got(1, 200, None))
