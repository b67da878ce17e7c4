"""Lists of stored responses, on every kind of store: their orders, their places, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore
from cache.stores.listing import Listing, Order, Selection
from tests.fixtures.stored_entries import new_entry, put

A, B, C = (f"http://{host}.example/" for host in "abc")


def keys(listing: Listing) -> list[str]:
    return [entry.key for found in listing.found for entry in found.entries]


def in_parts(store: ResponseStore, selection: Selection) -> list[str]:
    """Return the keys of a list of which each place is asked for on its own."""
    found = list[str]()
    while place := next(store.listing(selection).found, None):
        found += [entry.key for entry in place.entries]
        selection = replace(selection, after=place.place)
    return found


def received(key: str, at: float, *fields: tuple[str, str]) -> StoredResponse:
    return new_entry(key, request_time=at, response_time=at, head=Response(200, "OK", Fields(fields)))


@pytest.fixture
def three(store: ResponseStore) -> ResponseStore:
    """Return a store that has three responses, each the first in another order."""
    put(store, received(B, 1000.0), 300)
    put(store, received(C, 2000.0, ("Age", "1500")), 100)
    put(store, received(A, 3000.0), 200)
    return store


@pytest.mark.parametrize(
    ("order", "expected"),
    [(Order.URL, [A, B, C]), (Order.SIZE, [B, A, C]), (Order.AGE, [C, B, A])],
)
def test_a_list_has_every_response_once_also_in_parts(three: ResponseStore, order: Order, expected: list[str]) -> None:
    assert keys(three.listing(Selection(order))) == expected
    assert in_parts(three, Selection(order)) == expected
    assert not three.listing(Selection(order)).is_sample


def test_equal_responses_are_all_listed_in_parts(store: ResponseStore) -> None:
    expected = [f"http://a.example/{number}" for number in range(5)]
    for key in expected:
        put(store, received(key, 1000.0))
    for order in Order:
        assert sorted(in_parts(store, Selection(order))) == expected


def test_a_confirmed_response_is_as_old_as_its_latest_confirmation(three: ResponseStore) -> None:
    (stored,) = three.candidates(C)
    head = Response(200, "OK", Fields((("Age", "1"),)))
    assert three.update(replace(stored, head=head, request_time=4000.0, response_time=4000.0, revision=1))
    assert keys(three.listing(Selection(Order.AGE))) == [B, A, C]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Selection(pattern="B.EXAMPLE"), {B}),
        (Selection(pattern="*://[bc].example/"), {B, C}),
        (Selection(pattern="?ttp://b*"), {B}),
        (Selection(host="b.*"), {B}),
        (Selection(host="C.example"), {C}),
        (Selection(tag="news"), {A}),
        (Selection(never_used=True), {A, B, C}),
    ],
)
def test_what_is_wanted_is_never_left_out(
    store: ResponseStore, wanted: Selection, expected: set[str], order: Order
) -> None:
    put(store, new_entry(A, tags="news\nsport"))
    put(store, new_entry(B))
    put(store, new_entry(C))
    assert expected <= set(keys(store.listing(replace(wanted, order=order))))


@pytest.mark.parametrize("order", [Order.SIZE, Order.AGE, Order.USED])
@pytest.mark.parametrize("place", ["http://a.example/", "x 1"])
def test_a_place_of_another_order_is_refused(store: ResponseStore, order: Order, place: str) -> None:
    with pytest.raises(ValueError, match="expected the `next` of a list in the same order"):
        next(store.listing(Selection(order, place)).found, None)
