"""Failures as mitmproxy reports them, in sentences, by proxy error type (RFC 9209 §2.3)."""

from __future__ import annotations

import errno
import re

from addon.origin import FailureKind, OriginFailure

_NAMED = re.compile(r"(.*) \((\w+)\)", re.DOTALL)
_ERRNO = re.compile(r"\[Errno (-?\d+)\]")
_BY_ERRNO = {
    errno.ECONNREFUSED: FailureKind.CONNECTION_REFUSED,
    errno.ECONNRESET: FailureKind.CONNECTION_TERMINATED,
    errno.EHOSTUNREACH: FailureKind.DESTINATION_IP_UNROUTABLE,
    errno.ENETUNREACH: FailureKind.DESTINATION_IP_UNROUTABLE,
    errno.ETIMEDOUT: FailureKind.CONNECTION_TIMEOUT,
}
_BY_WORDS = (
    (re.compile(r"without sending complete|incomplete"), FailureKind.HTTP_RESPONSE_INCOMPLETE),
    (
        re.compile(r"server closed connection|connection closed|unexpected server response"),
        FailureKind.CONNECTION_TERMINATED,
    ),
    (re.compile(r"certificate verify failed", re.IGNORECASE), FailureKind.TLS_CERTIFICATE_ERROR),
    (re.compile(r"\btls\b|\bssl\b", re.IGNORECASE), FailureKind.TLS_PROTOCOL_ERROR),
    (re.compile(r"upstream proxy .* refused", re.IGNORECASE), FailureKind.PROXY_CONFIGURATION_ERROR),
    (re.compile(r"from server|protocol error|invalid|malformed", re.IGNORECASE), FailureKind.HTTP_PROTOCOL_ERROR),
)
_NOT_CONNECTED = frozenset(
    {
        FailureKind.CONNECTION_READ_TIMEOUT,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECTION_TERMINATED,
        FailureKind.CONNECTION_TIMEOUT,
        FailureKind.DESTINATION_IP_UNROUTABLE,
        FailureKind.DESTINATION_UNAVAILABLE,
        FailureKind.DNS_ERROR,
    }
)


def named(predicate: str, kind: FailureKind) -> str:
    """Return a message in mitmproxy's place by which `failure_of` knows the kind of failure again."""
    return f"the origin {predicate} ({kind})"


def failure_of(host: str, message: str) -> OriginFailure:
    """Return the failure to get a response from a host that mitmproxy describes by `message`."""
    if (found := _NAMED.fullmatch(message)) and found[2] in FailureKind:
        message, kind = found[1], FailureKind(found[2])
    else:
        kind = _kind_of(message)
    return OriginFailure(kind, f"{host}: {message}", disconnected=kind in _NOT_CONNECTED)


def _kind_of(message: str) -> FailureKind:
    if found := _ERRNO.search(message):
        number = int(found[1])
        # getaddrinfo(3) has negative numbers of its own
        return FailureKind.DNS_ERROR if number < 0 else _BY_ERRNO.get(number, FailureKind.DESTINATION_UNAVAILABLE)
    known = (kind for words, kind in _BY_WORDS if words.search(message))
    return next(known, FailureKind.DESTINATION_UNAVAILABLE)
