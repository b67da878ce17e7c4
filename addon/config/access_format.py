"""The format of the access log (`log.access_format`): variables named as in nginx, with text between them.

The names `common`, `combined` and `json` stand for formats that many programs read.
"""

from __future__ import annotations

import re

from cache.rules.credentials import is_api_key

VARIABLES = {
    "remote_addr": "the client's address; that of a trusted proxy's client, if it names one",
    "remote_user": "always absent: names of users are not logged",
    "time_local": "the time of the response in UTC, like 24/Nov/2026:10:00:00 +0000",
    "time_iso8601": "the same like 2026-11-24T10:00:00+00:00",
    "msec": "the same in seconds since 1970, with milliseconds",
    "request": "the request line, with the whole URL",
    "request_method": "the method",
    "request_uri": "the path and the query; the query is hidden unless `log.queries` is true",
    "uri": "the whole URL, hidden in the same way",
    "scheme": "http or https",
    "host": "the host that was asked for, with a port that is not the usual one",
    "server_protocol": "HTTP/1.0, HTTP/1.1 or HTTP/2.0",
    "status": "the status that the client got",
    "body_bytes_sent": "bytes of content that the client got",
    "request_time": "seconds from the request's head to the end of the response, with milliseconds",
    "upstream_connect_time": "seconds in which a connection to the origin was opened; 0 if one was open already",
    "upstream_header_time": "seconds from sending the request to the origin until its response head was there",
    "upstream_response_time": "the same until the end of its response",
    "http_referer": "the field Referer of the request, without queries",
    "http_user_agent": "the field User-Agent of the request",
    "ssl_protocol": "the version of the client's TLS, like TLSv1.3",
    "ssl_cipher": "the cipher of the client's TLS",
    "request_id": "32 hexadecimal digits for the request; with `answer.request_id`, that of X-Request-Id",
    "pid": "the process that has answered",
    "site": "the first host pattern of the site of an edge",
    "decision": "what the cache did: `hit`, why the origin was asked (`fwd` of Cache-Status), `refused`, or `tunnel`",
    "reason": "more about it: why the response was not stored, a stale copy was used, or the request was refused",
    "result": "`hit` or why the origin was asked, and if its response was not stored, why: `uri-miss/no-store`",
}
"""The variables of an access log, each with what it stands for. Besides them, $http_NAME is a field of the request."""

HTTP_FIELD = "http_"
"""Before the name of a field of the request, in lower case and with _ in place of -."""

JSON = "json"

NAMED_FORMATS = {
    "common": '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent $result',
    "combined": (
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
        ' "$http_referer" "$http_user_agent"'
    ),
}
"""Formats with a name. `json` is one more: an object with all variables."""

_VARIABLE = re.compile(r"\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+)|)")
_SECRET_FIELDS = frozenset({"authorization", "proxy-authorization", "cookie", "cookie2"})
_EXPECTED = '"common", "combined", "json", or a format with variables, like "$remote_addr $status $request_time"'


def checked_format(value: str) -> str:
    """Return a format of the access log as it was given. Raises ValueError, whose text says what was expected."""
    if value != JSON:
        pieces(value)
    return value


def pieces(value: str) -> list[tuple[str, str]]:
    """Return a format as pairs: text, and the name of the variable that follows it, empty at the end.

    Raises ValueError if it is no format, or has a variable that is not known or whose value must not be logged.
    """
    text = NAMED_FORMATS.get(value, value)
    found, end = [], 0
    for match in _VARIABLE.finditer(text):
        name = match[1] or match[2] or ""
        _check(name)
        found.append((text[end : match.start()], name))
        end = match.end()
    if not found or not text.isprintable():  # a line break would make two lines of one response
        raise ValueError(_EXPECTED)
    return [*found, (text[end:], "")]


def _check(name: str) -> None:
    """Raise ValueError if there is no variable of that name."""
    field = field_of(name)
    if field is not None and (field in _SECRET_FIELDS or is_api_key(field)):
        raise ValueError(f"a format without ${name}, which is not logged since it may be a password")
    if name not in VARIABLES and not field:
        raise ValueError(f"a format with these variables: {', '.join(f'${each}' for each in VARIABLES)}, $http_NAME")


def field_of(name: str) -> str | None:
    """Return the field of the request that a variable stands for, or None if it stands for something else."""
    return name.removeprefix(HTTP_FIELD).replace("_", "-") if name.startswith(HTTP_FIELD) else None
