"""Accept-Encoding: the content codings that a client accepts, and the class of such clients (RFC 9110 §12.5.3).

Clients write the same few wishes in hundreds of ways. An edge compares and forwards a class in their place, so that
an origin makes a few variants of a response, and not one for each way of writing.
"""

from __future__ import annotations

from functools import lru_cache

from cache.http.fields import WEIGHT, members
from cache.http.messages import Fields

ACCEPT_ENCODING = "accept-encoding"
IDENTITY = "identity"

CLASS_CODINGS = ("br", "zstd", "gzip")
"""The codings that make a class, in the order in which they are written."""

_ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}
"""RFC 9110 §8.4.1: names that mean the same."""


def canonical(coding: str) -> str:
    """Return the usual name of a content coding."""
    return _ALIASES.get(coding.lower(), coding.lower())


@lru_cache(maxsize=512)
def acceptance(accept_encoding: str | None) -> dict[str, bool]:
    """Return whether each coding in an Accept-Encoding, or `*`, is accepted. An invalid weight refuses a coding.

    A coding that is both accepted and refused is refused. The result is shared by all callers.
    """
    accepted: dict[str, bool] = {}
    for member in members(accept_encoding or ""):
        name, *parameters = (part.strip(" \t") for part in member.split(";"))
        weights = [WEIGHT.fullmatch(part) for part in parameters if part.partition("=")[0].strip(" \t").lower() == "q"]
        is_accepted = all(weight and float(weight[1]) > 0 for weight in weights)
        accepted[canonical(name)] = accepted.get(canonical(name), True) and is_accepted
    return accepted


def accepts(accepted: dict[str, bool], coding: str) -> bool:
    """Return whether a coding, or `identity`, is accepted by what `acceptance` returned.

    RFC 9110 §12.5.3 allows any coding without the field, but most clients that send none cannot decode one.
    """
    return accepted.get(coding, accepted.get("*", coding == IDENTITY))


@lru_cache(maxsize=512)
def coding_class(accept_encoding: str | None) -> str:
    """Return the Accept-Encoding that stands for all that accept the same of `CLASS_CODINGS`: one of 16 values."""
    accepted = acceptance(accept_encoding)
    codings = [coding for coding in CLASS_CODINGS if accepts(accepted, coding)]
    if not accepts(accepted, IDENTITY):
        codings.append(f"{IDENTITY};q=0")
    return ", ".join(codings) or IDENTITY


@lru_cache(maxsize=512)
def with_class(fields: Fields) -> Fields:
    """Return request fields with the class of their Accept-Encoding in its place, or at the end if they have none."""
    lines, value = fields.all(ACCEPT_ENCODING), coding_class(fields.get(ACCEPT_ENCODING))
    if lines == (value,):
        return fields
    if len(lines) != 1:
        return fields.replacing("Accept-Encoding", value)
    replaced = ((name, value if name.lower() == ACCEPT_ENCODING else each) for name, each in fields)
    return Fields(tuple(replaced))
