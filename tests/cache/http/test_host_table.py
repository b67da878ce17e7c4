"""Values by host: the most specific pattern wins."""

import pytest

from cache.http.host_table import HostTable

TABLE = HostTable([("example.org", 1), ("*.example.org", 2), ("*.a.example.org", 3), ("b.a.example.org", 4)])


@pytest.mark.parametrize(
    ("host", "value"),
    [
        ("example.org", 1),
        ("www.example.org", 2),
        ("x.y.example.org", 2),
        ("a.example.org", 2),
        ("c.a.example.org", 3),
        ("d.c.a.example.org", 3),
        ("b.a.example.org", 4),
        ("c.b.a.example.org", 3),
        ("wwwexample.org", None),
        ("org", None),
        ("example.org.evil.test", None),
        (".example.org", 2),
        ("", None),
        ("127.0.0.1", None),
    ],
)
def test_an_exact_host_wins_then_the_longest_wildcard(host: str, value: int | None) -> None:
    assert TABLE.find(host) == value


def test_any_host_is_the_last_choice() -> None:
    table = HostTable([("*", 0), ("example.org", 1), ("*.example.org", 2)])
    assert [table.find(host) for host in ("example.org", "a.example.org", "other.test", "::1")] == [1, 2, 0, 0]


def test_of_equal_patterns_the_first_counts() -> None:
    table = HostTable([("a", 1), ("a", 2), ("*.a", 3), ("*.a", 4), ("*", 5), ("*", 6)])
    assert [table.find(host) for host in ("a", "b.a", "c")] == [1, 3, 5]


def test_an_empty_table_has_nothing() -> None:
    assert HostTable[int]().find("a") is None


def test_a_host_that_is_longer_than_any_name_matches_no_wildcard() -> None:
    assert TABLE.find("x." * 120 + "example.org") == 2
    assert TABLE.find("x." * 121 + "example.org") == 2
    assert TABLE.find("x." * 122 + "example.org") is None
    assert HostTable([("*", 0), ("*.example.org", 1)]).find("x." * 10_000 + "example.org") == 0
