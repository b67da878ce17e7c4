"""The values of forwarded fields: well-formed ones are read, and everything else is dropped."""

from __future__ import annotations

import pytest

from addon.frontend.gateway import forwarded_values as values


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("203.0.113.7", ["203.0.113.7"]),
        ("203.0.113.7, 10.0.0.1", ["203.0.113.7", "10.0.0.1"]),
        ("203.0.113.7:4711,[2001:db8::1]:80", ["203.0.113.7", "2001:db8::1"]),
        ("2001:DB8:0::1", ["2001:db8::1"]),
        ("::ffff:203.0.113.7", ["203.0.113.7"]),
        ("Unknown, 10.0.0.1", ["unknown", "10.0.0.1"]),
        ("<script>, 10.0.0.1, a.example,, 999.1.1.1", ["unknown", "10.0.0.1", "unknown", "unknown"]),
        ("", []),
    ],
)
def test_only_addresses_are_read(value: str, addresses: list[str]) -> None:
    assert values.addresses_in(value) == addresses


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("for=192.0.2.43", [{"for": "192.0.2.43"}]),
        (
            'For="[2001:db8:cafe::17]:4711";proto=https, for=_hidden',
            [{"for": "[2001:db8:cafe::17]:4711", "proto": "https"}, {"for": "_hidden"}],
        ),
        ('for=unknown; host="a.example:8080"', [{"for": "unknown", "host": "a.example:8080"}]),
        ('for="10.0.0.1\\', [{"for": "unknown"}]),
        ('for="10.0.0.1, for=10.0.0.2', [{"for": "unknown"}]),
        ("for=10.0.0.1 for=10.0.0.2", [{"for": "unknown"}]),
        ("for=<script>", [{"for": "unknown"}]),
        ("for=10.0.0.1, host=a/b", [{"for": "10.0.0.1"}, {"for": "unknown"}]),
        ("for=10.0.0.1;secret=1", [{"for": "unknown"}]),
        ("for", [{"for": "unknown"}]),
        (", ", []),
        ("", []),
    ],
)
def test_an_element_of_forwarded_is_read_as_a_whole_or_is_about_an_unknown_client(
    value: str, elements: list[dict[str, str]]
) -> None:
    assert values.elements_in(value) == elements


def test_elements_are_written_as_they_were_read() -> None:
    value = 'for="[2001:db8:cafe::17]:4711";proto=https, for=unknown;host="a.example:80"'
    assert ", ".join(map(values.element_text, values.elements_in(value))) == value


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (values.scheme_in, "HTTPS, http", "https"),
        (values.scheme_in, "wss", "https"),
        (values.scheme_in, "gopher", ""),
        (values.host_in, "a.example:8080, b.example", "a.example:8080"),
        (values.host_in, "[2001:db8::1]:80", "[2001:db8::1]:80"),
        (values.host_in, 'a.example/"><script>', ""),
        (values.port_in, "443", "443"),
        (values.port_in, "0", ""),
        (values.port_in, "65536", ""),
        (values.port_in, "4 3", ""),
        (values.prefix_in, "/shop/eu", "/shop/eu"),
        (values.prefix_in, "javascript:", ""),
    ],
)
def test_what_a_field_cannot_say_is_not_read(read: object, value: str, expected: str) -> None:
    assert read(value) == expected
