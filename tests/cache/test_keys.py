"""Equal keys mean equal targets after normalisation, and nothing else is folded (RFC 9110 §4.2.3)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from cache.key import key_of_uri, primary_key
from cache.messages import Request
from tests.cache.strategies import unhurried

characters = st.sampled_from([*"abAB01-._~/?&=;:@+!$'()*,[]{}|^", "%41", "%61", "%7e", "%7E", "%2f", "%2F", "%zz", "%"])
targets = st.lists(characters, max_size=8).map(lambda pieces: "/" + "".join(pieces))
hosts = st.sampled_from(["a.example", "A.Example", "a.example.", "b.example", "127.0.0.1", "::1"])
ports = st.sampled_from([80, 443, 8080])
schemes = st.sampled_from(["http", "https"])
requests = st.builds(Request, st.just("GET"), schemes, hosts, ports, targets)

_UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")


def normalised(request: Request) -> tuple[str, str, int, str]:
    """Return the target URI with nothing folded but what means the same (written again, on purpose)."""

    def escape(match: re.Match[str]) -> str:
        octet = unquote_to_bytes(match.group()).decode("latin-1")
        return octet if re.fullmatch(r"[A-Za-z0-9\-._~]", octet) else match.group().upper()

    return (
        request.scheme,
        request.host.lower().removesuffix("."),
        request.port,
        _UNRESERVED.sub(escape, request.target),
    )


@unhurried
@given(requests, requests)
def test_keys_are_equal_exactly_where_the_normalised_targets_are(one: Request, other: Request) -> None:
    assert (primary_key(one) == primary_key(other)) == (normalised(one) == normalised(other))


@unhurried
@given(requests)
def test_a_key_is_its_own_key(request: Request) -> None:
    key = primary_key(request)
    assert key_of_uri(key) == key


@unhurried
@given(st.text(max_size=40))
def test_what_a_person_types_is_a_key_or_refused(typed: str) -> None:
    try:
        key = key_of_uri(typed)
    except ValueError:
        return  # said in so many words
    assert key.startswith(("http://", "https://"))


def test_a_stray_percent_sign_leaves_a_target_as_it_is() -> None:
    assert key_of_uri("http://a.example/%a%41") == "http://a.example/%a%41"
    assert key_of_uri("http://a.example/%61%2f") == "http://a.example/a%2F"


def test_a_target_without_a_slash_is_not_part_of_the_host() -> None:
    assert primary_key(Request("GET", "https", "example.co", 443, "m/x")) == "https://example.co/m/x"
    assert primary_key(Request("GET", "https", "localhost", 1944, "3/login")) == "https://localhost:1944/3/login"
