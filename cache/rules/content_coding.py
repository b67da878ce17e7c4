"""Content codings: the variants that a 304 may select for a request (RFC 9110 §8.4.1, §12.5.3).

Many origins send one entity tag for a content and for its compressed form. Their 304 says nothing about the coding, so
this cache must ensure that the client accepts the coding, and that it still gets a compressed form if it accepts one.
"""

from __future__ import annotations

from cache.http.fields import opaque_tag, tokens
from cache.http.messages import Fields, Request
from cache.rules.accept_encoding import ACCEPT_ENCODING, IDENTITY, acceptance, accepts, canonical
from cache.rules.stored_response import StoredResponse


def varies_by_coding(fields: Fields) -> bool:
    """Return whether Vary names Accept-Encoding."""
    return ACCEPT_ENCODING in tokens(fields.get("vary"))


def may_select(entry: StoredResponse, request: Request) -> bool:
    """Return whether a request may ask the origin about a stored response that does not match it."""
    return _is_suitable(entry, request, negotiated=varies_by_coding(entry.head.fields))


def may_confirm(entry: StoredResponse, request: Request, response_fields: Fields) -> bool:
    """Return whether a response to `request` with these fields may confirm a stored response and its coding."""
    negotiated = varies_by_coding(entry.head.fields) or varies_by_coding(response_fields)
    # if nothing is negotiated, every client gets this coding from the origin too
    return not negotiated or _is_suitable(entry, request, negotiated=True)


def suits_class(fields: Fields, chosen_for: str | None, accept_encoding: str | None) -> bool:
    """Return whether a variant that was chosen for one Accept-Encoding may be served for another one.

    `fields` are those of the variant. The other Accept-Encoding is a class, as it is forwarded at an edge.
    """
    return _is_suitable_for(acceptance(accept_encoding), fields, acceptance(chosen_for), negotiated=True)


def _is_suitable(entry: StoredResponse, request: Request, *, negotiated: bool) -> bool:
    stored_values = dict(entry.vary)
    accepted = acceptance(request.fields.get(ACCEPT_ENCODING))
    chosen_for = acceptance(stored_values.get(ACCEPT_ENCODING))
    if ACCEPT_ENCODING in stored_values and chosen_for == accepted:
        return True  # the origin itself chose this coding for an equal Accept-Encoding
    return _is_suitable_for(accepted, entry.head.fields, chosen_for, negotiated=negotiated)


def _is_suitable_for(
    accepted: dict[str, bool], fields: Fields, chosen_for: dict[str, bool], *, negotiated: bool
) -> bool:
    codings = codings_of(fields)
    if codings:
        return all(accepts(accepted, coding) for coding in codings)
    # the origin chose to use no coding, but only among those that the earlier request accepted
    return accepts(accepted, IDENTITY) and (not negotiated or _compressions(accepted) <= _compressions(chosen_for))


def _compressions(acceptance: dict[str, bool]) -> set[str]:
    return {coding for coding, accepted in acceptance.items() if accepted and coding != IDENTITY}


def codings_of(fields: Fields) -> list[str]:
    """Return the codings in Content-Encoding, without `identity`."""
    return [coding for coding in map(canonical, tokens(fields.get("content-encoding"))) if coding != IDENTITY]


def is_same_but_for_coding(tag: str, entry_tag: str, entry_fields: Fields) -> bool:
    """Return whether two entity tags are equal but for `W/` and for the name of the stored coding at the end.

    nginx makes a tag weak when it compresses; Apache adds `-gzip` to it. Both leave this out of some of their 304s.
    """
    codings = codings_of(entry_fields)
    return _plain_tag(tag, codings) == _plain_tag(entry_tag, codings)


def _plain_tag(tag: str, codings: list[str]) -> str:
    opaque = opaque_tag(tag)
    for coding in codings:
        if opaque.endswith(f'-{coding}"'):
            return opaque.removesuffix(f'-{coding}"') + '"'
    return opaque
