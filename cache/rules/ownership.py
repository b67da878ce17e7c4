"""Whose a stored response is: of the policy that stored it, and of the credential that it was given to.

Both stand among its Vary values, under names that no field has.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from cache.http.cache_control import response_directives, shareable_although_authorized
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import is_for_any_credential, is_kept_although_authorized
from cache.rules.stored_response import StoredResponse

SCOPE = "&scope"
"""Whose policy stored the response; shared responses have none."""

CREDENTIAL = "&authorization"
"""A keyed hash of the Authorization that the response was given to and may be shown to alone, or `ANY`."""

ANY = "any"
"""In place of the hash: without a network another Authorization, or none, will do as well."""


def owned_by(request: Request, response_fields: Fields, policy: CachePolicy) -> tuple[tuple[str, str | None], ...]:
    """Return whose a response to this request is, once it is stored."""
    scope = ((SCOPE, policy.private.scope),) if policy.private.scope else ()
    if "authorization" not in request.fields or not is_kept_although_authorized(request, policy.private):
        return scope
    if shareable_although_authorized(response_directives(response_fields, policy.targeted_fields)):
        return scope
    whose = ANY if is_for_any_credential(request, policy.private) else _presented(request, policy)
    return (*scope, (CREDENTIAL, whose))


def is_visible(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Tell whether a stored response is there at all: not for a shared policy (decision D35) or another credential."""
    return all(_is_for(name, value, request, policy) for name, value in entry.vary)


def _is_for(name: str, value: str | None, request: Request, policy: CachePolicy) -> bool:
    if name == SCOPE:
        return value == policy.private.scope
    if name != CREDENTIAL:
        return True
    if value == ANY:
        return is_for_any_credential(request, policy.private)
    return value == _presented(request, policy)


def is_permitted(entry: StoredResponse, request: Request, policy: CachePolicy) -> bool:
    """Tell whether whoever asks may be given a stored response unasked, as far as that goes by credentials."""
    # while there is an origin, it says itself who may have what: by a 304, or in full
    return is_visible(entry, request, policy) and (policy.network.offline or (CREDENTIAL, ANY) not in entry.vary)


def is_confined(entry: StoredResponse) -> bool:
    """Tell whether a stored response was given to a credential, and is there only for whom `is_permitted` says."""
    return any(name == CREDENTIAL for name, _ in entry.vary)


def _presented(request: Request, policy: CachePolicy) -> str | None:
    lines = request.fields.all("authorization")
    return keyed_hash(lines, policy) if lines else None


def keyed_hash(lines: Sequence[str], policy: CachePolicy) -> str:
    """Return what stands for a secret among Vary values: the same for the same field lines, and not the secret."""
    combined = "\0".join(lines).encode("latin-1", "replace")
    return "hash:" + blake2b(combined, key=policy.keying.credential_key[:64], digest_size=16).hexdigest()
