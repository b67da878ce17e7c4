"""The choice among origins: by load and weight, or by the hash of the URL."""

from __future__ import annotations

from collections import Counter

import pytest

from addon.origin.backends.balance import Balance, Candidate, balance_of

URLS = [f"a.example/{number}" for number in range(3000)]


def candidates(**weights: float) -> list[Candidate]:
    return [Candidate(name, weight, busy=0) for name, weight in weights.items()]


def chosen(balance: Balance, among: list[Candidate], url: str = "/") -> str:
    place = balance.choose(among, url)
    balance.note(among, place)
    return among[place].name


def test_idle_origins_get_requests_in_turn_by_weight() -> None:
    balance, among = balance_of("least_busy"), candidates(a=5, b=1, c=1)
    assert "".join(chosen(balance, among) for _ in range(7)) == "aabacaa"  # nginx documents this order
    assert "".join(chosen(balance_of("least_busy"), candidates(a=1, b=1, c=1)) for _ in range(2)) == "aa"


def test_a_choice_that_is_not_used_takes_no_turn() -> None:
    balance, among = balance_of("least_busy"), candidates(a=1, b=1)
    assert chosen(balance, among) == "a"
    assert [among[balance.choose(among, "/")].name for _ in range(3)] == ["b", "b", "b"]


@pytest.mark.parametrize(("busy", "expected"), [((3, 2), "b"), ((1, 2), "a"), ((0, 1), "a")])
def test_the_origin_with_fewer_requests_under_way_gets_the_next(busy: tuple[int, int], expected: str) -> None:
    among = [Candidate("a", 1, busy[0]), Candidate("b", 1, busy[1])]
    assert {chosen(balance_of("least_busy"), among) for _ in range(5)} == {expected}


def test_an_origin_of_twice_the_weight_may_have_twice_the_load() -> None:
    among = [Candidate("a", 2, 3), Candidate("b", 1, 1)]
    assert chosen(balance_of("least_busy"), among) == "b"
    assert chosen(balance_of("least_busy"), [Candidate("a", 2, 3), Candidate("b", 1, 2)]) == "a"


def test_a_url_has_the_same_origin_each_time() -> None:
    among = candidates(a=1, b=1, c=1)
    first = [chosen(balance_of("hash"), among, url) for url in URLS]
    assert [chosen(balance_of("hash"), list(reversed(among)), url) for url in URLS] == first
    assert all(900 < count < 1100 for count in Counter(first).values())


def test_the_loss_of_an_origin_moves_only_its_own_urls() -> None:
    balance = balance_of("hash")
    before = {url: chosen(balance, candidates(a=1, b=1, c=1), url) for url in URLS}
    after = {url: chosen(balance, candidates(a=1, c=1), url) for url in URLS}
    moved = [url for url in URLS if before[url] != after[url]]
    assert {before[url] for url in moved} == {"b"}
    assert min(Counter(after[url] for url in moved).values()) > 400  # spread over both others


def test_weights_divide_the_urls() -> None:
    counts = Counter(chosen(balance_of("hash"), candidates(a=3, b=1), url) for url in URLS)
    assert 2150 < counts["a"] < 2350
