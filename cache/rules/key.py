"""The primary key of a stored response: the normalised target URI (RFC 9111 §2, §4).

Several spellings of a URI have one key, so that a purge or an invalidation of one concerns all of them. But an origin
gets the path as the client spelled it, and may tell spellings apart. So each spelling has copies of its own under the
key.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from cache.http.fields import is_host
from cache.http.messages import DEFAULT_PORTS, Fields, Request, host_in_uri
from cache.policy.cache_policy import CachePolicy
from cache.rules.no_vary_search import DEFAULT_VARIANCE, search_variance

# no request target has a fragment, so a suffix that begins with "#" makes a key that no URI has
_CONTENT = "#content="
"""Precedes the digest of a request's content."""
_ANY_QUERY = "#search"
"""In place of the query: the key of responses that are stored for several queries of one path."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# A host with a dot or a port, or localhost; http:/a and mailto:a@b are something else
_WITHOUT_SCHEME = re.compile(
    r"(?!https?:)(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+\.?|localhost|[a-z0-9-]+(?=:[0-9])|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:[/?#]|$)",
    re.IGNORECASE,
)
_ASCII = "".join(map(chr, range(128)))


def primary_key(request: Request) -> str:
    """Return the normalised target URI of a request (RFC 9110 §4.2.3). Its path and query are forwarded unchanged."""
    # without a slash behind the authority, a target could continue the host name (RFC 9110 §4.2.3)
    target = request.cache_target or request.target
    target = target if target.startswith("/") else f"/{target}"
    # decoding an escape behind a stray percent sign could form an escape that the client did not send
    escaped = "%" in target and not _STRAY_PERCENT.search(target)
    path = _ESCAPE.sub(_normalised_escape, target) if escaped else target
    if not path.isascii():  # bytes that a URI has in escaped form (RFC 3986 §2.1)
        path = quote(path, safe=_ASCII, encoding="latin-1", errors="replace")
    digest = f"{_CONTENT}{request.content_digest}" if request.content_digest else ""
    return f"{request.origin}{path}{digest}"


def target_uri(request: Request) -> str:
    """Return the target URI of a request as its copies have it: spelled as received, without dropped parameters."""
    return f"{request.scheme}://{request.authority}{request.cache_target or request.target}"


def is_normalised(request: Request) -> bool:
    """Return whether the target of a request is spelled as in its primary key."""
    return not may_be_spelled_otherwise(request.target) or is_spelled_as(primary_key(request), target_uri(request))


def may_be_spelled_otherwise(target: str) -> bool:
    """Return whether a request target may be spelled in another way than in its primary key."""
    return "%" in target or not target.isascii()


def is_spelled_as(key: str, target: str) -> bool:
    """Return whether a target URI is spelled as the primary key under which its copy is stored."""
    return key.startswith(spelling(target, key))


def spelling(target: str, key: str) -> str:
    """Return the part of a target URI, spelled as received, by which copies under a key are told apart."""
    return target.partition("?")[0] if is_any_query_key(key) else target


def content_digest_of(key: str) -> str:
    """Return the SHA-256 of the request's content that a primary key ends with, or an empty string."""
    return key.partition(_CONTENT)[2]


def _normalised_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def request_for(uri: str, fields: Fields = Fields()) -> Request:  # noqa: B008 - Fields is immutable
    """Return a GET request for an absolute http or https URI.

    Raises:
        ValueError: `uri` is not one.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise ValueError(_expected_instead_of(uri)) from None
    host = parts.hostname or ""
    # other characters than ASCII are not judged here: a recording may have them
    if parts.scheme not in DEFAULT_PORTS or (host.isascii() and not is_host(host_in_uri(host))):
        raise ValueError(_expected_instead_of(uri))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query or uri.partition("#")[0].endswith("?") else "")
    return Request("GET", parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], target, fields=fields)


def _expected_instead_of(uri: str) -> str:
    offer = f', did you mean "http://{uri}"?' if _WITHOUT_SCHEME.match(uri) else ""
    return f'expected a URL like "https://example.org/path", found "{uri}"{offer}'


def key_of_uri(uri: str) -> str:
    """Return the primary key of a URI as a person types it. Raises ValueError if it is not http or https."""
    return primary_key(request_for(ascii_uri(uri)))


def ascii_uri(uri: str) -> str:
    """Return a URI as programs send it, with other characters than ASCII in escaped form (RFC 3987 §3.1).

    Raises:
        ValueError: the host cannot be written in ASCII.
    """
    if uri.isascii():
        return uri
    host = urlsplit(uri).netloc
    return in_ascii(uri.replace(host, host.encode("idna").decode("ascii"), 1))


def in_ascii(text: str) -> str:
    """Return a part of a URI with other characters than ASCII in escaped form."""
    return quote(text, safe=_ASCII)


# ---- No-Vary-Search: one key for all queries of a path; the responses under it differ in their Vary values


def keys(key: str, policy: CachePolicy) -> tuple[str, ...]:
    """Return the keys under which responses for a primary key may be stored, that key itself first (ledger KEY-24)."""
    return (key, _any_query_key(key)) if policy.keying.no_vary_search else (key,)


def storage_key(request: Request, response_fields: Fields, policy: CachePolicy) -> str:
    """Return the key under which a response is stored."""
    key = primary_key(request)
    if not policy.keying.no_vary_search or search_variance(response_fields.get("no-vary-search")) == DEFAULT_VARIANCE:
        return key
    return _any_query_key(key)


def is_any_query_key(key: str) -> bool:
    """Return whether responses are stored under this key for several queries of one path."""
    return key.endswith(_ANY_QUERY)


def _any_query_key(key: str) -> str:
    return key.partition("?")[0] + _ANY_QUERY
