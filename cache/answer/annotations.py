"""Local metainformation: the operator's rules, and what they make of an answer's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cache.http.fields import imf_date, media_type
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse

PLACEHOLDERS = frozenset({"age", "host", "origin", "sha256", "status", "stored_at", "uri"})
"""What a template may name. A field whose template names something unknown of this answer is left out."""

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")


def known_of_copy(request: Request, entry: StoredResponse, age: float) -> dict[str, str]:
    """Return the template values of an answer from a copy; `age` in seconds."""
    known = {
        **known_of_relayed(request, entry.head.status),
        "age": str(int(age)),
        "stored_at": imf_date(entry.stored_at),
    }
    return known if entry.complete_length is not None else {**known, "sha256": entry.sha256}


def known_of_relayed(request: Request, status: int) -> dict[str, str]:
    """Return the template values of an answer that is just being relayed."""
    origin = f"{request.scheme}://{request.authority}"
    return {"host": request.host, "origin": origin, "status": str(status), "uri": request.uri}


def annotated(request: Request, fields: Fields, known: Mapping[str, str], policy: CachePolicy) -> Fields:
    """Return the fields after every rule that fits; the same object if none changed anything."""
    for rule in policy.presentation.annotations:
        fits = rule.host.fullmatch(request.host) and rule.path.fullmatch(request.target.partition("?")[0])
        if not fits or not rule.content_type.fullmatch(media_type(fields.get("content-type"))):
            continue
        changed = fields.without(rule.remove)
        for name, template in rule.set:
            value = _filled(template, known)
            # what the origin says itself is not ours to move about: that would make a 203 of it
            if value is not None and changed.all(name) != (value,):
                changed = changed.replacing(name, value)
        added = [(name, value) for name, template in rule.append if (value := _filled(template, known)) is not None]
        changed = changed.appending(*added)
        fields = fields if changed.lines == fields.lines else changed
    return fields


def _filled(template: str, known: Mapping[str, str]) -> str | None:
    if any(name not in known for name in _PLACEHOLDER.findall(template)):
        return None
    return _PLACEHOLDER.sub(lambda placeholder: known[placeholder[1]], template)
