"""Primary keys: keys are equal exactly for URLs that RFC 9110 §4.2.3 calls equivalent.

See docs/decisions.md, "Two spellings of a URL are two stored responses".
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.http.messages import Request
from cache.rules.key import key_of_uri, primary_key
from tests.fixtures.strategies import unhurried

characters = st.sampled_from([*"abAB01-._~/?&=;:@+!$'()*,[]{}|^", "%41", "%61", "%7e", "%7E", "%2f", "%2F", "%zz", "%"])
targets = st.lists(characters, max_size=8).map(lambda pieces: "/" + "".join(pieces))
hosts = st.sampled_from(["a.example", "A.Example", "a.example.", "a.example..", "b.example", "127.0.0.1", "::1"])
ports = st.sampled_from([80, 443, 8080])
schemes = st.sampled_from(["http", "https"])
requests = st.builds(Request, method=st.just("GET"), scheme=schemes, host=hosts, port=ports, target=targets)

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


def normalised(request: Request) -> tuple[str, str, int, str]:
    """Return the normalised target URI. Written here a second time, so that the two can be compared."""

    def escape(match: re.Match[str]) -> str:
        char = unquote_to_bytes(match.group()).decode("latin-1")
        return char if re.fullmatch(r"[A-Za-z0-9\-._~]", char) else match.group().upper()

    return (
        request.scheme,
        request.host.lower().rstrip("."),
        request.port,
        _ESCAPE.sub(escape, request.target),
    )


@unhurried
@given(requests, requests)
def test_keys_are_equal_exactly_if_the_normalised_targets_are_equal(one: Request, other: Request) -> None:
    assert (primary_key(one) == primary_key(other)) == (normalised(one) == normalised(other))


@unhurried
@given(requests)
def test_the_key_of_a_key_is_the_key(request: Request) -> None:
    key = primary_key(request)
    assert key_of_uri(key) == key


@unhurried
@given(st.text(max_size=40))
def test_any_text_has_a_key_or_is_refused(text: str) -> None:
    try:
        key = key_of_uri(text)
    except ValueError:
        return
    assert key.startswith(("http://", "https://"))


def test_a_target_with_an_invalid_escape_is_not_normalised() -> None:
    assert key_of_uri("http://a.example/%a%41") == "http://a.example/%a%41"
    assert key_of_uri("http://a.example/%61%2f") == "http://a.example/a%2F"


def test_bytes_beyond_ascii_have_the_key_of_their_escapes() -> None:
    assert primary_key(Request("GET", "http", "a.example", 80, "/\xc3\xa9?\xff")) == "http://a.example/%C3%A9?%FF"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("http://a.example/é?ü", "http://a.example/%C3%A9?%C3%BC"),
        ("http://Bücher.example.:80/", "http://xn--bcher-kva.example/"),
        ("http://a.example/%c3%a9", "http://a.example/%C3%A9"),
    ],
)
def test_a_uri_typed_with_other_characters_than_ascii_has_the_key_of_what_programs_send(typed: str, key: str) -> None:
    assert key_of_uri(typed) == key


def test_a_target_without_a_slash_is_not_part_of_the_host() -> None:
    assert primary_key(Request("GET", "https", "example.co", 443, "m/x")) == "https://example.co/m/x"
    assert primary_key(Request("GET", "https", "localhost", 1944, "3/login")) == "https://localhost:1944/3/login"


@pytest.mark.row("KEY-02", "KEY-08")
@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("http://A.example", "http://a.example/"),
        ("http://a.example/?", "http://a.example/?"),
        ("http://a.example/b?c#d", "http://a.example/b?c"),
        ("http://a.example/b#c?", "http://a.example/b"),
        ("http://a.example?b", "http://a.example/?b"),
        ("https://a.example:443/", "https://a.example/"),
        ("https://a.example:80/", "https://a.example:80/"),
        ("http://[::1]:8080/%7e%2f", "http://[::1]:8080/~%2F"),
    ],
)
def test_the_key_of_a_uri(uri: str, key: str) -> None:
    assert key_of_uri(uri) == key


NO_URIS = [
    *("a.example", "ftp://a.example/", "http:///a", "http://a.example:x/", ""),
    *("http://./", "http://[::::1]/", "http://[v1.a[]/", "http://a b/"),
]


@pytest.mark.parametrize(
    ("uri", "is_offered"),
    [
        *(
            (uri, True)
            for uri in ("a.test", "A.test/b?c", "localhost", "localhost:80/a", "a:80", "10.0.0.1/", "[::1]:80/")
        ),
        *((uri, False) for uri in ("", "a", "/a.test", "http:/a.test", "mailto:a@b.test", "ftp://a.test/", "a b.test")),
        *((uri, False) for uri in ("https:a.test", "a.test:x/", "http://a.test:x/", "./a.test", "a_.test")),
    ],
)
def test_a_url_without_its_scheme_is_offered_with_one(uri: str, is_offered: bool) -> None:
    with pytest.raises(ValueError, match="expected a URL like") as raised:
        key_of_uri(uri)
    assert (f'did you mean "http://{uri}"?' in str(raised.value)) is is_offered
    if is_offered:
        assert key_of_uri(f"http://{uri}")


@pytest.mark.parametrize("uri", NO_URIS)
def test_text_that_is_no_http_uri_has_no_key(uri: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        key_of_uri(uri)


@unhurried
@given(requests)
def test_the_host_that_is_sent_is_the_one_in_the_key(request: Request) -> None:
    assert primary_key(request).startswith(f"{request.scheme}://{request.authority}/")
