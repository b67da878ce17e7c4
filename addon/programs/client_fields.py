"""The request fields that known clients send by themselves, as recorded from them, for `secondhand why --as`."""

from __future__ import annotations

from enum import StrEnum

from cache.http.messages import Fields, Request


class KnownClient(StrEnum):
    """A client whose fields are known."""

    CURL = "curl"
    PIP = "pip"
    NPM = "npm"
    BROWSER = "browser"


_CURL = (("User-Agent", "curl/8.5.0"), ("Accept", "*/*"))

_PIP = ("User-Agent", 'pip/24.2 {"implementation":{"name":"CPython"},"installer":{"name":"pip","version":"24.2"}}')
_PIP_INDEX = (
    _PIP,
    ("Accept-Encoding", "gzip, deflate"),
    (
        "Accept",
        "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
    ),
    ("Connection", "keep-alive"),
    ("Cache-Control", "max-age=0"),
)
_PIP_FILE = (_PIP, ("Accept-Encoding", "identity"), ("Accept", "*/*"), ("Connection", "keep-alive"))

_NPM = (
    ("User-Agent", "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"),
    ("Npm-Auth-Type", "web"),
    ("Npm-Command", "install"),
    ("Accept-Encoding", "gzip,deflate"),
    ("Connection", "keep-alive"),
)

_BROWSER = (
    ("Connection", "keep-alive"),
    ("Sec-Ch-Ua", '"Not:A-Brand";v="8", "Chromium";v="156"'),
    ("Sec-Ch-Ua-Mobile", "?0"),
    ("Sec-Ch-Ua-Platform", '"Linux"'),
    ("Upgrade-Insecure-Requests", "1"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"),
    ("Sec-Fetch-Site", "none"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-US,en;q=0.9"),
)


def with_fields_of(client: KnownClient, request: Request) -> Request:
    """Return a request with the fields that a client sends for its URL, except those that the request has already."""
    added = tuple(line for line in _fields_of(client, request.target) if line[0] not in request.fields)
    return request.with_fields(Fields((*added, *request.fields)))


def _fields_of(client: KnownClient, target: str) -> tuple[tuple[str, str], ...]:
    path = target.partition("?")[0]
    match client:
        case KnownClient.CURL:
            return _CURL
        case KnownClient.PIP:  # it asks for each index page again, and for files without compression
            return _PIP_INDEX if path.endswith("/") else _PIP_FILE
        case KnownClient.NPM:
            return (*_NPM, ("Accept", "*/*" if "/-/" in path else "application/json"))
        case KnownClient.BROWSER:
            return _BROWSER
