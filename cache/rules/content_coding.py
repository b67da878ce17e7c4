"""Content codings: the variants that a 304 may select for a request (RFC 9110 §8.4.1, §12.5.3).

Many origins send one entity tag for a content and for its compressed form. Their 304 says nothing about the coding, so
this cache must ensure that the client accepts the coding, and that it still gets a compressed form if it accepts one.
"""

from __future__ import annotations

from cache.http.fields import WEIGHT, members, opaque_tag, tokens
from cache.http.messages import Fields, Request
from cache.rules.stored_response import StoredResponse

ACCEPT_ENCODING = "accept-encoding"

_IDENTITY = "identity"
_ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}
"""RFC 9110 §8.4.1: names that mean the same."""


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


def _is_suitable(entry: StoredResponse, request: Request, *, negotiated: bool) -> bool:
    codings, stored_values = _codings(entry.head.fields), dict(entry.vary)
    # RFC 9110 §12.5.3 allows any coding without the field, but most clients that send none cannot decode one
    accepted = _acceptance(request.fields.get(ACCEPT_ENCODING))
    chosen_for = _acceptance(stored_values.get(ACCEPT_ENCODING))
    if ACCEPT_ENCODING in stored_values and chosen_for == accepted:
        return True  # the origin itself chose this coding for an equal Accept-Encoding
    if codings:
        return all(_accepts(accepted, coding) for coding in codings)
    # the origin chose to use no coding, but only among those that the earlier request accepted
    return _accepts(accepted, _IDENTITY) and (not negotiated or _compressions(accepted) <= _compressions(chosen_for))


def _acceptance(accept_encoding: str | None) -> dict[str, bool]:
    """Return whether each coding in an Accept-Encoding, or `*`, is accepted. An invalid weight refuses a coding."""
    acceptance = {}
    for member in members(accept_encoding or ""):
        name, *parameters = (part.strip(" \t") for part in member.split(";"))
        weights = [WEIGHT.fullmatch(part) for part in parameters if part.lower().startswith("q=")]
        acceptance[_canonical(name)] = all(weight and float(weight[1]) > 0 for weight in weights)
    return acceptance


def _accepts(acceptance: dict[str, bool], coding: str) -> bool:
    return acceptance.get(coding, acceptance.get("*", coding == _IDENTITY))


def _compressions(acceptance: dict[str, bool]) -> set[str]:
    return {coding for coding, accepted in acceptance.items() if accepted and coding != _IDENTITY}


def _canonical(coding: str) -> str:
    return _ALIASES.get(coding.lower(), coding.lower())


def _codings(fields: Fields) -> list[str]:
    """Return the codings in Content-Encoding, without `identity`."""
    return [coding for coding in map(_canonical, tokens(fields.get("content-encoding"))) if coding != _IDENTITY]


def is_same_but_for_coding(tag: str, entry_tag: str, entry_fields: Fields) -> bool:
    """Return whether two entity tags are equal but for `W/` and for the name of the stored coding at the end.

    nginx makes a tag weak when it compresses; Apache adds `-gzip` to it. Both leave this out of some of their 304s.
    """
    codings = _codings(entry_fields)
    return _plain_tag(tag, codings) == _plain_tag(entry_tag, codings)


def _plain_tag(tag: str, codings: list[str]) -> str:
    opaque = opaque_tag(tag)
    for coding in codings:
        if opaque.endswith(f'-{coding}"'):
            return opaque.removesuffix(f'-{coding}"') + '"'
    return opaque
