"""Cache keys: which stored responses are for this URI (primary key), and which of them for this request (Vary)."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from cache.http.field_table import row
from cache.http.fields import QUOTED_STRING, TOKEN, members
from cache.http.messages import DEFAULT_PORTS, Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.no_vary_search import EVERYTHING, search, search_variance
from cache.rules.ownership import CREDENTIAL, SCOPE, is_permitted, keyed_hash, owned_by
from cache.rules.stored_response import StoredResponse

Vary = tuple[tuple[str, str | None], ...]

NEVER_MATCHES: Vary = (("*", None),)
"""What a stored response whose Vary has `*` carries: no request ever matches it (RFC 9111 §4.1)."""

_CONTENT = "#content="
"""Before the digest of a request's content; no request target has a fragment, so no other key is like that."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def primary_key(request: Request) -> str:
    """Return the normalised target URI (RFC 9110 §4.2.3); what is forwarded stays as received."""
    host = request.host.lower().removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if request.port == DEFAULT_PORTS.get(request.scheme) else f":{request.port}"
    # always a slash behind the authority, or one host's key could be another's (RFC 9110 §4.2.3)
    target = request.keyed_as or request.target
    target = target if target.startswith("/") else f"/{target}"
    # decoding beside a stray percent sign could make an escape that nobody wrote
    escaped = "%" in target and not _NO_ESCAPE.search(target)
    path = _ESCAPE.sub(_normalised_escape, target) if escaped else target
    digest = f"{_CONTENT}{request.content_digest}" if request.content_digest else ""
    return f"{request.scheme}://{host}{port}{path}{digest}"


def content_digest_of(key: str) -> str:
    """Return the SHA-256 of the request's content that is part of a key, or nothing."""
    return key.partition(_CONTENT)[2]


def _normalised_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def request_for(uri: str, fields: Fields = Fields()) -> Request:  # noqa: B008 - Fields is immutable
    """Return a GET request for an absolute http or https URI.

    Raises:
        ValueError: `uri` is not one.
    """
    expected = f'expected a URL like "https://example.org/path", found "{uri}"'
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(expected)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query or uri.partition("#")[0].endswith("?") else "")
    return Request("GET", parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme], target, fields)


def key_of_uri(uri: str) -> str:
    """Return the primary key of a URI that a person typed. Raises ValueError if it is not http or https."""
    return primary_key(request_for(uri))


# ---- No-Vary-Search: one key for all queries of a path, told apart as variants are

_ANY_SEARCH = "#search"
"""Behind a key without its query: no request target has a fragment, so no other key is like that."""


def search_key(key: str) -> str:
    """Return the key of the responses that say which queries mean the same, for a primary key (ledger KEY-24)."""
    return key.partition("?")[0] + _ANY_SEARCH


def keys(key: str, policy: CachePolicy) -> tuple[str, ...]:
    """Return the keys under which responses for a URI may be stored, the one of the URI itself first."""
    return (key, search_key(key)) if policy.keying.no_vary_search else (key,)


def storage_key(request: Request, response_fields: Fields, policy: CachePolicy) -> str:
    """Return the key under which a response is stored."""
    key = primary_key(request)
    heeded = policy.keying.no_vary_search and search_variance(response_fields.get("no-vary-search")) != EVERYTHING
    return search_key(key) if heeded else key


# ---- Vary

_SEARCH = "&search"
"""Among Vary values, what matters of the query; no field has that name."""

REFERRING_SITE = "referring-site"
"""In a partition, scheme and host of Referer."""

_CREDENTIALS = frozenset({"authorization", "cookie"})
# RFC 9110 §5.5: commas in these are part of the text
_FREE_TEXT = frozenset({"cookie", "user-agent", "referer", "authorization", "date", "if-modified-since", "from"})
_NEGOTIATED = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language"})


@lru_cache(maxsize=512)
def nominated_fields(response_fields: Fields) -> tuple[str, ...] | None:
    """Return the lower-case names that Vary nominates, sorted, or None where no request can match."""
    names = {name.lower() for name in members(response_fields.get("vary") or "")}
    # RFC 9111 §4.1 for `*`; a field of this hop is not what the client sent; a non-token cannot be compared
    if any(name == "*" or row(name).hop_by_hop or name == "via" or not TOKEN.fullmatch(name) for name in names):
        return None
    return tuple(sorted(names))


def vary_of(request: Request, key: str, response_fields: Fields, policy: CachePolicy) -> Vary:
    """Return what a response stored under `key` remembers of the request that produced it."""
    whose = owned_by(request, response_fields, policy)
    if "vary" not in response_fields and not policy.keying.partition and not key.endswith(_ANY_SEARCH):
        return whose
    nominated = nominated_fields(response_fields)
    if nominated is None:
        return whose + NEVER_MATCHES
    names = sorted({*nominated, *policy.keying.partition})
    if key.endswith(_ANY_SEARCH):
        names.insert(0, _SEARCH)
    return whose + tuple((name, _compared(request, name, response_fields, policy)) for name in names)


def chosen_by(entry: StoredResponse) -> frozenset[str]:
    """Return the names of the request fields that choose this stored response, those of a partition among them."""
    return frozenset(name.removeprefix("&") for name, _ in entry.vary)


def matches(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Tell whether every field that the stored Vary nominates has the same value in this request (RFC 9111 §4.1).

    And whether the stored response is one that whoever asks may have.
    """
    if not is_permitted(entry, request, policy):
        return False
    if NEVER_MATCHES[0] in entry.vary and not policy.keying.ignore_vary_star:
        return False
    if policy.keying.partition and not {name for name, _ in entry.vary}.issuperset(policy.keying.partition):
        return False  # stored when copies were not kept apart (RFC 9111 §7.2)
    return all(
        name in (SCOPE, CREDENTIAL) or _compared(request, name, entry.head.fields, policy) == value
        for name, value in entry.vary
    )


def _compared(request: Request, name: str, response_fields: Fields, policy: CachePolicy) -> str | None:
    if name == _SEARCH:
        return search(request.target, search_variance(response_fields.get("no-vary-search")))
    return presented(request.fields, name, policy)


def presented(fields: Fields, name: str, policy: CachePolicy) -> str | None:
    """Return a request field in the form that is compared and stored, or None where it is absent."""
    if name == REFERRING_SITE:
        return _site(fields.get("referer"))
    lines = fields.all(name)
    if not lines:
        return None  # RFC 9111 §4.1: absent only matches absent
    if name in _CREDENTIALS or name in policy.private.secrets:
        if policy.keying.ignore_credentials:
            return None  # a recording is one person's, and is replayed where the credentials are not
        return keyed_hash(lines, policy)
    if name in _FREE_TEXT:
        return ", ".join(line.strip(" \t") for line in lines)
    listed = members(", ".join(lines))
    if name in _NEGOTIATED:
        listed = [_normalised_preference(member) for member in listed]
        if name == "accept-language" and not policy.keying.vary_language_order:
            listed.sort()
    return ",".join(listed)


def _site(reference: str | None) -> str | None:
    try:
        parts = urlsplit(reference or "")
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower() if parts.netloc else None


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
