"""Cache-Control: directives mean the same when they are written anew, in capitals, or with further empty members."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from cache.http.cache_control import RequestDirectives, ResponseDirectives, request_directives, response_directives
from cache.http.fields import MAX_SECONDS
from cache.http.messages import Fields
from tools.fuzz.pieces import repeated

TOKENS = [
    *(b"max-age=", b"s-maxage=", b"no-cache", b"no-store", b"private", b"public", b"must-revalidate", b"immutable"),
    *(b"proxy-revalidate", b"must-understand", b"stale-while-revalidate=", b"stale-if-error=", b"max-stale", b"="),
    *(b"min-fresh=", b"only-if-cached", b'="a, b"', b'"', b"\\", b",", b"?0", b"?1", b";", b"60", b"4294967296"),
]

_RESPONSE_FLAGS = "no_store no_cache private public must_revalidate proxy_revalidate must_understand immutable".split()
_RESTRICTING_FLAGS = "no_store no_cache private must_revalidate proxy_revalidate".split()
_REQUEST_FLAGS = "no_cache no_store only_if_cached".split()


def check(data: bytes) -> None:
    """Read text as the value of Cache-Control, and as that of a targeted field."""
    for each in (data, repeated(data)):
        if each is not None:
            value = each.decode("latin-1")
            _check_response(value)
            _check_request(value)
            _check_targeted(value)


def _check_response(value: str) -> None:
    directives = _response(value)
    for seconds in (directives.max_age, directives.s_maxage, directives.stale_while_revalidate):
        assert seconds is None or 0 <= seconds <= MAX_SECONDS
    assert not (directives.no_cache and directives.no_cache_fields)
    assert not (directives.private and directives.private_fields)
    again = _response(_rendered_response(directives))
    assert replace(again, broken=directives.broken, unreadable=directives.unreadable) == directives
    assert _response(f" ,\t,{value}") == directives
    assert _response(value.encode("latin-1").upper().decode("latin-1")) == directives
    if not directives.broken:
        assert _response(f"{value},") == directives
        assert _response(f"unknown, {value}") == directives


def _check_request(value: str) -> None:
    directives = _request(value)
    assert min(directives.max_age or 0, directives.min_fresh, directives.max_stale, directives.stale_if_error) >= 0
    assert _request(_rendered_request(directives)) == directives


def _check_targeted(value: str) -> None:
    fields = Fields((("CDN-Cache-Control", value), ("Cache-Control", "max-age=7")))
    directives = response_directives(fields, ("cdn-cache-control",))
    assert directives.source in ("cdn-cache-control", "cache-control")
    if directives.source == "cache-control":  # RFC 9213 §2.1: a malformed or empty field is ignored
        restricting = {flag: getattr(directives, flag) for flag in _RESTRICTING_FLAGS}
        unreadable = directives.unreadable
        assert unreadable <= {"must-revalidate"}
        # only what it forbids is forbidden all the same
        assert directives == replace(ResponseDirectives(max_age=7, unreadable=unreadable), **restricting)
    assert directives.max_age is None or 0 <= directives.max_age <= MAX_SECONDS


def _response(value: str) -> ResponseDirectives:
    return response_directives(Fields((("Cache-Control", value),)))


def _request(value: str) -> RequestDirectives:
    return request_directives(Fields((("Cache-Control", value),)))


def _rendered_response(directives: ResponseDirectives) -> str:
    members = [flag.replace("_", "-") for flag in _RESPONSE_FLAGS if getattr(directives, flag)]
    for name in ("no_cache_fields", "private_fields"):
        if names := getattr(directives, name):
            listed = ", ".join(sorted(names)).replace("\\", "\\\\").replace('"', '\\"')
            members.append(f'{name.removesuffix("_fields").replace("_", "-")}="{listed}"')
    for name in ("max_age", "s_maxage", "stale_while_revalidate", "stale_if_error"):
        if (seconds := getattr(directives, name)) is not None:
            members.append(f"{name.replace('_', '-')}={seconds}")
    return ", ".join(members)


def _rendered_request(directives: RequestDirectives) -> str:
    members = [flag.replace("_", "-") for flag in _REQUEST_FLAGS if getattr(directives, flag)]
    if directives.max_age is not None:
        members.append(f"max-age={directives.max_age}")
    members += [f"min-fresh={directives.min_fresh}", f"stale-if-error={directives.stale_if_error}"]
    members.append("max-stale" if directives.max_stale == inf else f"max-stale={directives.max_stale}")
    return ", ".join(members)
