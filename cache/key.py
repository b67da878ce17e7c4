"""Cache keys: which stored responses are for this URI (primary key), and which of them for this request (Vary)."""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import urlsplit

from cache.entry import StoredResponse
from cache.fields import QUOTED_STRING, TOKEN, members
from cache.fieldtable import row
from cache.messages import DEFAULT_PORTS, Fields, Request
from cache.policy import CachePolicy

Vary = tuple[tuple[str, str | None], ...]

NEVER_MATCHES: Vary = (("*", None),)
"""What a stored response whose Vary has `*` carries: no request ever matches it (RFC 9111 §4.1)."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def primary_key(request: Request) -> str:
    """Return the normalised target URI (RFC 9110 §4.2.3); what is forwarded stays as received."""
    host = request.host.lower().removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if request.port == DEFAULT_PORTS.get(request.scheme) else f":{request.port}"
    # always a slash behind the authority, or one host's key could be another's (RFC 9110 §4.2.3)
    target = request.target if request.target.startswith("/") else f"/{request.target}"
    # decoding beside a stray percent sign could make an escape that nobody wrote
    path = target if _NO_ESCAPE.search(target) else _ESCAPE.sub(_normalised_escape, target)
    return f"{request.scheme}://{host}{port}{path}"


def _normalised_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def request_for(uri: str, fields: Fields = Fields()) -> Request:  # noqa: B008 - Fields is immutable
    """Return a GET request for an absolute http or https URI.

    Raises:
        ValueError: `uri` is not one.
    """
    parts = urlsplit(uri)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f'expected a URL like "https://example.org/path", found "{uri}"')
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query or uri.partition("#")[0].endswith("?") else "")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return Request("GET", parts.scheme, parts.hostname, port, target, fields)


def key_of_uri(uri: str) -> str:
    """Return the primary key of a URI that a person typed. Raises ValueError if it is not http or https."""
    return primary_key(request_for(uri))


# ---- Vary

_CREDENTIALS = frozenset({"authorization", "cookie"})
# RFC 9110 §5.5: commas in these are part of the text
_FREE_TEXT = frozenset({"cookie", "user-agent", "referer", "authorization", "date", "if-modified-since", "from"})
_NEGOTIATED = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language"})


def nominated_fields(response_fields: Fields) -> tuple[str, ...] | None:
    """Return the lower-case names that Vary nominates, sorted, or None where no request can match."""
    names = {name.lower() for name in members(response_fields.get("vary") or "")}
    # RFC 9111 §4.1 for `*`; a field of this hop is not what the client sent; a non-token cannot be compared
    if any(name == "*" or row(name).hop_by_hop or name == "via" or not TOKEN.fullmatch(name) for name in names):
        return None
    return tuple(sorted(names))


def vary_of(request: Request, response_fields: Fields, policy: CachePolicy) -> Vary:
    """Return what a stored response remembers of the request that produced it."""
    names = nominated_fields(response_fields)
    if names is None:
        return NEVER_MATCHES
    return tuple((name, presented(request.fields, name, policy)) for name in names)


def matches(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Tell whether every field that the stored Vary nominates has the same value in this request."""
    if entry.vary == NEVER_MATCHES:
        return False
    return all(presented(request.fields, name, policy) == value for name, value in entry.vary)


def presented(fields: Fields, name: str, policy: CachePolicy) -> str | None:
    """Return a request field in the form that is compared and stored, or None where it is absent."""
    lines = fields.all(name)
    if not lines:
        return None  # RFC 9111 §4.1: absent only matches absent
    if name in _CREDENTIALS and (policy.record or policy.replay):
        return None  # a recording is one person's, and is replayed where the credentials are not
    if name in _CREDENTIALS:
        joined = "\0".join(lines).encode("latin-1", "replace")
        return "hash:" + blake2b(joined, key=policy.credential_key[:64], digest_size=16).hexdigest()
    if name in _FREE_TEXT:
        return ", ".join(line.strip(" \t") for line in lines)
    listed = members(", ".join(lines))
    if name in _NEGOTIATED:
        listed = [_normalised_preference(member) for member in listed]
        if name == "accept-language" and not policy.vary_language_order:
            listed.sort()
    return ",".join(listed)


_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def _normalised_preference(member: str) -> str:
    """Return a member of an Accept field with what carries no meaning taken out (RFC 9110 §12.4.2, §12.5)."""
    if QUOTED_STRING.search(member):
        return member
    value, *parameters = (part.strip(" \t") for part in member.split(";"))
    kept = [value.lower()]
    for parameter in parameters:
        if weight := _WEIGHT.fullmatch(parameter):
            number = float(weight[1])
            if number != 1:  # q=1 is what no weight means
                kept.append(f"q={number:g}")
        else:
            name, equals, argument = parameter.partition("=")
            kept.append(name.lower() + equals + argument)
    return ";".join(kept)
