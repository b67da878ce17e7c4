"""Keys of URLs: a URL has one key or none, the key is a URL, and the key of a key is itself."""

from __future__ import annotations

from cache.http.messages import normalised_host
from cache.rules.key import ascii_uri, is_spelled_as, key_of_uri, primary_key, request_for, target_uri
from tools.fuzz.pieces import repeated

TOKENS = [
    *(b"http://", b"https://", b"HTTP://A.example:80/", b"%2f", b"%41", b"%", b"[::1]", b"[v1.a]", b"#", b"?", b"@"),
    *(b":443", b":0", b":99999", b"xn--", "ß".encode(), "。".encode(), "İ".encode(), b"..", b"//", b"\\", b"a@b"),
]


def check(data: bytes) -> None:
    """Read text as a URL that a person types."""
    for each in (data, repeated(data)):
        if each is not None:
            _check(each.decode("utf-8", "surrogateescape"))


def _check(uri: str) -> None:
    try:
        key = key_of_uri(uri)
    except ValueError as error:
        assert str(error)
        return
    assert key.isascii()
    assert key_of_uri(key) == key
    request = request_for(ascii_uri(uri))
    assert request.host == normalised_host(request.host)
    assert primary_key(request_for(request.uri)) == key
    assert is_spelled_as(key, key)
    assert target_uri(request).partition("#")[0] == target_uri(request)
