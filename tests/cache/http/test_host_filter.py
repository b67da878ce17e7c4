"""Hosts that a person has chosen, with any port or with one."""

from __future__ import annotations

import pytest

from cache.http.host_filter import host_filter

PLACES = [("a.example", 80), ("a.example", 8080), ("b.example", 8080), ("::1", 8080)]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("A.example.", PLACES[:2]),
        ("a.example:8080", PLACES[1:2]),
        ("a.example:08080", PLACES[1:2]),
        ("*:8080", PLACES[1:]),
        ("[ab].example", PLACES[:3]),
        ("[ab].example:8080", PLACES[1:3]),
        ("::1", PLACES[3:]),
        ("[::1]", PLACES[3:]),
        ("[::1]:8080", PLACES[3:]),
        ("[::1]:80", []),
        ("a.example:", []),
        ("example", []),
    ],
)
def test_a_filter_without_a_port_is_for_all_ports(text: str, chosen: list[tuple[str, int]]) -> None:
    wanted = host_filter(text)
    assert [place for place in PLACES if wanted.fits(*place)] == chosen
