"""The owner of a stored response: the profile that stored it, and the credentials that it was sent for.

They are stored among its Vary values, under names that no field has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from cache.http.cache_control import is_for_all, is_shareable_if_authorized, response_directives
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import is_for_any_credential, is_kept_although_authorized
from cache.policy.site_rules import Override
from cache.rules.credentials import api_keys, has_credentials
from cache.rules.freshness import date_of, freshness_lifetime, origin_lifetime
from cache.rules.key import target_uri
from cache.rules.site_requests import effects_of
from cache.rules.site_responses import overrides
from cache.rules.stored_response import StoredResponse

SCOPE = "&scope"
"""The name of the profile that stored the response. Shared responses have none."""

CREDENTIAL = "&authorization"
"""A keyed hash of the Authorization that the response was sent for; no other request may get it. Or `ANY`."""

COOKIE = "&cookie"
"""A keyed hash of the Cookie that the response was sent for, beside `CREDENTIAL`; no other request may get it."""

API_KEY = "&api-key"
"""A keyed hash of the API keys and tokens that the response was sent for, beside `CREDENTIAL`. See `api_keys`."""

ANY = "any"
"""In place of the hash: offline, a request with another Authorization or none may get the response too."""


def owner_of(request: Request, response_fields: Fields, policy: CachePolicy) -> tuple[tuple[str, str | None], ...]:
    """Return the Vary values that name the owner of a response to this request."""
    scope = ((SCOPE, policy.private.scope),) if policy.private.scope else ()
    if "authorization" not in request.fields or not is_kept_although_authorized(request, policy.private):
        return scope
    if is_shareable_if_authorized(response_directives(response_fields, policy.targeted_fields)):
        return scope
    credential = ANY if is_for_any_credential(request, policy.private) else _hash_of("authorization", request, policy)
    return (*scope, (CREDENTIAL, credential))


def credentials_of(
    request: Request, response_fields: Fields, received: Received, policy: CachePolicy
) -> tuple[tuple[str, str | None], ...]:
    """Return the Vary values that keep a response to credentials for these, or none if others may get it too.

    Others may get it if the origin gives it a lifetime, `public` or `s-maxage`. Else it may be personal, and even a
    304 to another credential must not confirm it: many origins send one by Last-Modified alone.
    """
    if not has_credentials(request.fields):
        return ()
    if policy.private.is_for_one_user or policy.keying.ignore_credentials:
        return ()
    directives = response_directives(response_fields, policy.targeted_fields)
    lifetime = origin_lifetime(response_fields, date_of(received), policy)
    if is_for_all(directives) or (lifetime is not None and lifetime.seconds > 0):
        return ()
    if _shares_by_rule(request, received.head, policy):
        return ()
    return (
        (CREDENTIAL, _hash_of("authorization", request, policy)),
        (COOKIE, _hash_of("cookie", request, policy)),
        (API_KEY, _hash_of_api_keys(request, policy)),
    )


def _shares_by_rule(request: Request, head: Response, policy: CachePolicy) -> bool:
    """Return whether a rule says which cookies a response depends on, or that it depends on none."""
    if policy.site_rules is None or "authorization" in request.fields or api_keys(request.fields):
        return False
    ignored = overrides(target_uri(request), head, policy)
    return Override.COOKIE in ignored or effects_of(request, policy).vary_cookie is not None


def _is_for_other_cookies(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Return whether a copy is not for a request with these cookies, since only a rule gives it a lifetime.

    Its origin says nothing about its use, and may send something else to these cookies.
    """
    if policy.site_rules is None or "cookie" not in request.fields or policy.network.offline:
        return False
    fields, directives = entry.head.fields, response_directives(entry.head.fields, policy.targeted_fields)
    given = origin_lifetime(fields, date_of(entry), policy)
    if directives.public or (given is not None and given.seconds > 0) or any(name == COOKIE for name, _ in entry.vary):
        return False
    return freshness_lifetime(entry, policy).by_rule and not _shares_by_rule(request, entry.head, policy)


def with_credentials_of(
    entry: StoredResponse, vary: tuple[tuple[str, str | None], ...]
) -> tuple[tuple[str, str | None], ...]:
    """Return the Vary values of a validated response: if it was for some credentials only, it stays so."""
    if not any(name == COOKIE for name, _ in entry.vary):
        return vary
    names = (CREDENTIAL, COOKIE, API_KEY)
    kept = tuple(pair for pair in entry.vary if pair[0] in names)
    return (*kept, *(pair for pair in vary if pair[0] not in names))


def is_visible(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Return whether this policy and this request may see a stored response at all.

    A shared policy does not see the responses of a profile, and no request sees those of another credential.
    """
    if _is_for_other_cookies(entry, request, policy):
        return False
    return all(_is_owner(name, value, request, policy) for name, value in entry.vary)


def _is_owner(name: str, value: str | None, request: Request, policy: CachePolicy) -> bool:
    if name == SCOPE:
        return value == policy.private.scope
    if name == COOKIE:
        return value == _hash_of("cookie", request, policy)
    if name == API_KEY:
        return value == _hash_of_api_keys(request, policy)
    if name != CREDENTIAL:
        return True
    if value == ANY:
        return is_for_any_credential(request, policy.private)
    return value == _hash_of("authorization", request, policy)


def differences_of_owners(
    entry: StoredResponse, request: Request, policy: CachePolicy
) -> Iterator[tuple[str, str | None, str | None]]:
    """Iterate over the reasons why `is_permitted` is false: the name, the stored value, and that of the request."""
    own = {
        SCOPE: ("the profile", policy.private.scope or None),
        CREDENTIAL: ("Authorization", _hash_of("authorization", request, policy)),
        COOKIE: ("Cookie", _hash_of("cookie", request, policy)),
        API_KEY: ("the API key", _hash_of_api_keys(request, policy)),
    }
    for name, value in entry.vary:
        is_any = (name, value) == (CREDENTIAL, ANY)
        if name in own and not (_is_owner(name, value, request, policy) and (policy.network.offline or not is_any)):
            said, asked = own[name]
            yield said, "any, offline" if is_any else value, asked
    if _is_for_other_cookies(entry, request, policy):
        yield "Cookie", None, _hash_of("cookie", request, policy)


def is_permitted(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Return whether a request's credentials allow a stored response to answer it without validation."""
    # online, the origin decides by revalidation: it sends a 304 or a new response
    return is_visible(entry, request, policy) and (policy.network.offline or (CREDENTIAL, ANY) not in entry.vary)


def is_bound_to_credential(entry: StoredResponse) -> bool:
    """Return whether a stored response was sent for a credential, so that `is_permitted` has to allow its use."""
    return any(name == CREDENTIAL for name, _ in entry.vary)


def _hash_of(name: str, request: Request, policy: CachePolicy) -> str | None:
    lines = request.fields.all(name)
    return keyed_hash(lines, policy) if lines else None


def _hash_of_api_keys(request: Request, policy: CachePolicy) -> str | None:
    lines = api_keys(request.fields)
    return keyed_hash(lines, policy) if lines else None


def keyed_hash(lines: Sequence[str], policy: CachePolicy) -> str:
    """Return the keyed hash that is stored in place of a secret; equal for equal field lines."""
    combined = "\0".join(lines).encode("latin-1", "replace")
    return "hash:" + blake2b(combined, key=policy.keying.credential_key[:64], digest_size=16).hexdigest()
