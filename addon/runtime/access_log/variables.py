"""The values of the variables of the access log. None stands for a value that does not exist."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from addon.config.redaction import redaction
from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.logged_response import LoggedResponse, Sending

type Value = str | int | float | None

NO_TIMES = ExchangeTimes(connect=None)


def field(response: LoggedResponse, name: str) -> str | None:
    """Return a field of the request, without queries of URLs in it, or None if there is none."""
    value = response.request.fields.get(name) if response.request is not None else None
    return redaction.text(value) if value else None


def _path(response: LoggedResponse) -> str | None:
    return redaction.target(response.request.target) if response.request is not None else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _tls(sending: Sending) -> tuple[str | None, str | None]:
    """Return version and cipher of the client's TLS."""
    tls = sending.transport.get_extra_info("ssl_object") if sending.transport is not None else None
    cipher = tls.cipher() if tls is not None else None
    return (tls.version(), cipher[0]) if tls is not None and cipher else sending.tls


@lru_cache(maxsize=8)
def local_time(second: int) -> str:
    """Return a time as the Common Log Format has it, in UTC; `second` counts from the epoch."""
    moment = datetime.fromtimestamp(second, UTC)
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.month - 1]
    return f"{moment.day:02}/{month}/{moment.year}:{moment:%H:%M:%S} +0000"


@lru_cache(maxsize=8)
def iso_time(second: int) -> str:
    """Return a time in the form of ISO 8601, in UTC; `second` counts from the epoch."""
    return datetime.fromtimestamp(second, UTC).isoformat()


OF_RESPONSE: dict[str, Callable[[LoggedResponse, str], Value]] = {
    "remote_user": lambda _, __: None,
    "request": lambda response, _: response.request_line or None,
    "request_method": lambda response, _: response.request_line.partition(" ")[0] or None,
    "request_uri": lambda response, _: _path(response),
    "uri": lambda response, _: response.request_line.partition(" ")[2].rpartition(" ")[0] or None,
    "scheme": lambda response, _: response.request.scheme if response.request is not None else None,
    "host": lambda response, _: response.request.authority if response.request is not None else None,
    "server_protocol": lambda response, _: response.request_line.rpartition(" ")[2] or None,
    "status": lambda response, _: response.status,
    "body_bytes_sent": lambda response, _: response.size,
    "http_referer": lambda response, _: field(response, "referer"),
    "http_user_agent": lambda response, _: field(response, "user-agent"),
    "decision": lambda response, _: response.decision or None,
    "reason": lambda response, _: response.reason or None,
    "result": lambda response, _: response.result or None,
    "site": lambda _, site: site or None,
    "pid": lambda _, __: os.getpid(),
}
"""Variables whose values are the same for equal requests, by the response and the name of its site."""

OF_SENDING: dict[str, Callable[[Sending], Value]] = {
    "remote_addr": lambda sending: sending.client or None,
    "time_local": lambda sending: local_time(int(sending.at)),
    "time_iso8601": lambda sending: iso_time(int(sending.at)),
    "msec": lambda sending: round(sending.at, 3),
    "request_time": lambda sending: round(sending.seconds, 3),
    "upstream_connect_time": lambda sending: _rounded((sending.upstream or NO_TIMES).connect),
    "upstream_header_time": lambda sending: _rounded((sending.upstream or NO_TIMES).head),
    "upstream_response_time": lambda sending: _rounded((sending.upstream or NO_TIMES).whole),
    "ssl_protocol": lambda sending: _tls(sending)[0],
    "ssl_cipher": lambda sending: _tls(sending)[1],
    "request_id": Sending.request_id,
}
"""Variables whose values are others for each response."""
