"""The URLs of engines."""

from __future__ import annotations

import pytest

from cache.stores.redis.address import EngineAddress, Place, parse_address

GOOD = {
    "redis://cache.example": EngineAddress((Place("cache.example", 6379),)),
    "valkey://cache.example:7000/3": EngineAddress((Place("cache.example", 7000),), database=3),
    "rediss://me:p%40ss@[::1]:7000": EngineAddress((Place("::1", 7000),), "me", "p@ss", tls=True),
    "valkeys://:pw@a.example": EngineAddress((Place("a.example", 6379),), password="pw", tls=True),
    "redis://a:1,b:2,c": EngineAddress((Place("a", 1), Place("b", 2), Place("c", 6379))),
    "redis://a,b:2/1?master=main": EngineAddress((Place("a", 26379), Place("b", 2)), database=1, master="main"),
    "unix:///run/redis.sock": EngineAddress((Place("/run/redis.sock"),)),
    "unix://:pw@/run/redis.sock?db=2": EngineAddress((Place("/run/redis.sock"),), password="pw", database=2),
}
BAD = [
    "",
    "cache.example:6379",
    "http://cache.example",
    "redis://",
    "redis://cache.example:0",
    "redis://cache.example:70000",
    "redis://cache.example/x",
    "redis://cache.example?db=1",
    "redis://cache.example?master",
    "redis://a,,b",
    "redis://a b",
    "unix://run/redis.sock",
    "unix:///run/redis.sock?master=x",
]


@pytest.mark.parametrize(("url", "address"), GOOD.items(), ids=GOOD)
def test_an_address_is_read(url: str, address: EngineAddress) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="redis://HOST:PORT"):
        parse_address(url)


@pytest.mark.parametrize("url", ["redis://hidden@cache.example", "unix://hidden@/run/redis.sock", "redis://hidden:@a"])
def test_a_user_without_a_password_is_refused_and_not_printed(url: str) -> None:
    with pytest.raises(ValueError, match=":PASSWORD@") as refused:
        parse_address(url)
    assert "hidden" not in str(refused.value)


def test_the_text_of_an_address_has_no_password() -> None:
    assert str(parse_address("redis://me:pw@a:1,[::1]:2?master=main")) == "a:1,[::1]:2 (main)"
