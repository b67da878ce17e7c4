"""Vary: the stored responses under one key that match a request (RFC 9111 §4.1).

Beside the fields that Vary nominates, responses are kept apart by the fields of a partition, by the profile that
stored them, by the credentials they were sent for, and by the query where No-Vary-Search applies. All of these are
stored as Vary values, and compared in the same way; so is what the trusted proxies in front of an edge say about the
request. The spelling of the target URI keeps them apart too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from cache.http.field_table import row
from cache.http.fields import TOKEN, WEIGHT, members
from cache.http.messages import Fields, Request
from cache.http.record import record
from cache.policy.cache_policy import CachePolicy
from cache.rules.accept_encoding import ACCEPT_ENCODING, coding_class
from cache.rules.content_coding import codings_of, suits_class
from cache.rules.credentials import is_api_key
from cache.rules.forwarded_fields import PER_CLIENT, view_of
from cache.rules.key import is_any_query_key, spelling, target_uri
from cache.rules.no_vary_search import search_variance, significant_query
from cache.rules.ownership import (
    API_KEY,
    COOKIE,
    CREDENTIAL,
    SCOPE,
    differences_of_owners,
    is_permitted,
    keyed_hash,
    owner_of,
)
from cache.rules.preflights import PREFLIGHT_FIELDS, is_preflight
from cache.rules.site_requests import cookie_values, effects_of
from cache.rules.stored_response import StoredResponse

VaryValues = tuple[tuple[str, str | None], ...]
"""Pairs of a lower-case field name and the value that requests are compared with; None if the field is absent."""

NEVER_MATCHES: VaryValues = (("*", None),)
"""The Vary values of a stored response with `Vary: *`: no request matches them (RFC 9111 §4.1)."""

REFERRING_SITE = "referring-site"
"""A partition name that stands for the scheme and host in Referer; no field has that name."""

_QUERY = "&search"
"""The name of the query among Vary values; no field has that name."""

VIEW = "&forwarded"
"""The name of what trusted proxies say about the request, among Vary values; no field has that name."""

_NAMES = {_QUERY: "the query", VIEW: "what trusted proxies say", REFERRING_SITE: "the site in Referer"}

_CREDENTIALS = frozenset({"authorization", "cookie"})
# RFC 9110 §5.5: a comma in these fields is part of the text and does not separate members
_FREE_TEXT = frozenset({"cookie", "user-agent", "referer", "authorization", "date", "if-modified-since", "from"})
_NEGOTIATED = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language"})


@lru_cache(maxsize=512)
def nominated_fields(response_fields: Fields) -> tuple[str, ...] | None:
    """Return the sorted lower-case names that Vary nominates, or None if no request can match."""
    names = {name.lower() for name in members(response_fields.get("vary") or "")}
    return None if any(map(_has_no_value, names)) else tuple(sorted(names))


def _has_no_value(name: str) -> bool:
    """Return whether no value of a request can be compared under a name that Vary nominates."""
    # RFC 9111 §4.1 for `*`; this hop changes hop-by-hop fields and Via
    if name == "*" or row(name).hop_by_hop or name == "via" or not TOKEN.fullmatch(name):
        return True
    # a token may be such a name, but then the value of that field would not be compared
    return name.startswith("&") or name == REFERRING_SITE


def vary_of(request: Request, key: str, response_fields: Fields, policy: CachePolicy) -> VaryValues:
    """Return the Vary values of a response to `request` that is stored under `key`."""
    owner = owner_of(request, response_fields, policy)
    view = view_of(request)
    if view is not None:
        owner += ((VIEW, view),)
    # many origins compress, and leave out Vary; the variant is then not for clients that refuse its coding
    coded = policy.codings.classes and "content-encoding" in response_fields and bool(codings_of(response_fields))
    partition = _partition(request, policy)
    if is_preflight(request):
        partition += PREFLIGHT_FIELDS
    if "vary" not in response_fields and not partition and not is_any_query_key(key) and not coded:
        return owner
    nominated = nominated_fields(response_fields)
    # each client of an edge has other values of these fields, which its requests do not have here
    if nominated is None or (request.client is not None and not PER_CLIENT.isdisjoint(nominated)):
        return owner + NEVER_MATCHES
    names = sorted({*nominated, *partition, *((ACCEPT_ENCODING,) if coded else ())})
    if is_any_query_key(key):
        names.insert(0, _QUERY)
    return owner + tuple((name, _value_of(request, name, response_fields, policy)) for name in names)


def selecting_fields(entry: StoredResponse) -> frozenset[str]:
    """Return the names of the request fields that a stored response is selected by, those of a partition included."""
    return frozenset(name.removeprefix("&") for name, _ in entry.vary)


def values_that_select(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy) -> VaryValues:
    """Return a request's values of all fields that any of these stored responses is selected by.

    Requests with other values are known to get other responses.
    """
    names = sorted({name for entry in candidates for name, _ in entry.vary if TOKEN.fullmatch(name) and name[0] != "&"})
    return tuple((name, _compared(request, name, policy)) for name in names)


def has_target(entry: StoredResponse, request: Request) -> bool:
    """Return whether a stored response was requested by the same spelling of the target URI (ledger SEC-07)."""
    asked = target_uri(request)
    return entry.target == asked or spelling(entry.target, entry.key) == spelling(asked, entry.key)


def never_matches(entry: StoredResponse, policy: CachePolicy) -> bool:
    """Return whether no request matches a stored response: its Vary is `*` (RFC 9111 §4.1)."""
    return NEVER_MATCHES[0] in entry.vary and not policy.keying.ignore_vary_star


def matches(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Return whether a request has the target and all Vary values of a stored response, and may be given it.

    See RFC 9111 §4.1.
    """
    if not has_target(entry, request) or not is_permitted(entry, request, policy):
        return False
    if never_matches(entry, policy):
        return False
    partition = _partition(request, policy)
    if partition and not {name for name, _ in entry.vary}.issuperset(partition):
        return False  # it was stored before the partition was set (RFC 9111 §7.2)
    if view_of(request) is not None and not any(name == VIEW for name, _ in entry.vary):
        return False
    return all(
        name in (SCOPE, CREDENTIAL, COOKIE, API_KEY) or _has_value(request, name, value, entry, policy)
        for name, value in entry.vary
    )


@record
class Mismatch:
    """A difference by which a request does not match a stored response."""

    name: str
    """A request field, or another property of requests."""
    stored: str | None
    """The value that the stored response is for; None for none."""
    asked: str | None
    """The value that the request has; None for none."""


def mismatches(entry: StoredResponse, request: Request, policy: CachePolicy) -> Iterator[Mismatch]:
    """Iterate over the differences by which a request does not match a stored response: none if it `matches`."""
    if not has_target(entry, request):
        yield Mismatch("the spelling of the URL", entry.target, target_uri(request))
    yield from (Mismatch(*each) for each in differences_of_owners(entry, request, policy))
    stored = dict(entry.vary)
    for name in _partition(request, policy):
        if name not in stored:
            yield Mismatch(f"the partition by {name}", None, _compared(request, name, policy))
    if view_of(request) is not None and VIEW not in stored:
        yield Mismatch("what trusted proxies say", None, view_of(request))
    for name, value in entry.vary:
        if name == NEVER_MATCHES[0][0]:
            if not policy.keying.ignore_vary_star:
                yield Mismatch("Vary: *", None, None)
        elif name not in (SCOPE, CREDENTIAL, COOKIE, API_KEY) and not _has_value(request, name, value, entry, policy):
            yield Mismatch(_NAMES.get(name, name), value, _value_of(request, name, entry.head.fields, policy))


def _has_value(request: Request, name: str, value: str | None, entry: StoredResponse, policy: CachePolicy) -> bool:
    """Return whether a request has the stored value of a field, or accepts the coding that was chosen for it."""
    own = _value_of(request, name, entry.head.fields, policy)
    if own == value:
        return True
    return policy.codings.classes and name == ACCEPT_ENCODING and suits_class(entry.head.fields, value, own)


def with_class_of(entry: StoredResponse, vary: VaryValues, policy: CachePolicy) -> VaryValues:
    """Return the Vary values of a validated response: a narrower class does not close it to others."""
    kept = dict(entry.vary).get(ACCEPT_ENCODING)
    if kept is None or not policy.codings.classes:
        return vary
    fields = entry.head.fields
    return tuple(
        (name, kept if name == ACCEPT_ENCODING and suits_class(fields, kept, value) else value) for name, value in vary
    )


def _value_of(request: Request, name: str, response_fields: Fields, policy: CachePolicy) -> str | None:
    if name == VIEW:
        return view_of(request)
    if name == _QUERY:
        return significant_query(request.target, search_variance(response_fields.get("no-vary-search")))
    return _compared(request, name, policy)


def _partition(request: Request, policy: CachePolicy) -> tuple[str, ...]:
    """Return the names of the fields that responses to such requests are kept apart by, whatever Vary says."""
    by_cookie = effects_of(request, policy).vary_cookie is not None
    return (*policy.keying.partition, "cookie") if by_cookie else policy.keying.partition


def _compared(request: Request, name: str, policy: CachePolicy) -> str | None:
    """Return the value of a request field as it is compared: of Cookie, the one cookie that a rule names."""
    cookie = effects_of(request, policy).vary_cookie if name == "cookie" else None
    if cookie is None:
        return comparable_value(request.fields, name, policy)
    values = cookie_values(request.fields, cookie)
    return keyed_hash(values, policy) if values else None


def comparable_value(fields: Fields, name: str, policy: CachePolicy) -> str | None:
    """Return the value of a request field in the form that is stored and compared, or None if it is absent."""
    if name == REFERRING_SITE:
        return _site(fields.get("referer"))
    if name == ACCEPT_ENCODING and policy.codings.classes:
        return coding_class(fields.get(name))
    lines = fields.all(name)
    if not lines:
        return None  # RFC 9111 §4.1: an absent field matches only an absent field
    if name in _CREDENTIALS or is_api_key(name) or name in policy.private.secrets:
        if policy.keying.ignore_credentials:
            return None  # one person makes a recording, and may replay it without these credentials
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


def _normalised_preference(member: str) -> str:
    """Return a member of an Accept field in its shortest equal form (RFC 9110 §12.4.2, §12.5)."""
    if '"' in member:
        return member
    value, *parameters = (part.strip(" \t") for part in member.split(";"))
    kept = [value.lower()]
    for parameter in parameters:
        if weight := WEIGHT.fullmatch(parameter):
            number = float(weight[1])
            if number != 1:  # 1 is the default weight
                kept.append(f"q={number:g}")
        else:
            name, equals, argument = parameter.partition("=")
            kept.append(name.lower() + equals + argument)
    return ";".join(kept)
