"""Annotations: the operator's rules that set, append and remove fields of responses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cache.http.fields import imf_date, media_type
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse

PLACEHOLDERS = frozenset({"age", "host", "origin", "sha256", "status", "stored_at", "uri"})
"""The names that a template may contain. If one of them has no value for a response, its field is left out."""

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")


def template_values_of_copy(request: Request, entry: StoredResponse, age: float) -> dict[str, str]:
    """Return the template values of a response from a copy; `age` is in seconds."""
    values = {
        **template_values_of_relayed(request, entry.head.status),
        "age": str(int(age)),
        "stored_at": imf_date(entry.stored_at),
    }
    return values if entry.complete_length is not None else {**values, "sha256": entry.sha256}


def template_values_of_relayed(request: Request, status: int) -> dict[str, str]:
    """Return the template values of a response that is relayed from the origin."""
    origin = f"{request.scheme}://{request.authority}"
    return {"host": request.host, "origin": origin, "status": str(status), "uri": request.uri}


def annotated(request: Request, fields: Fields, values: Mapping[str, str], policy: CachePolicy) -> Fields:
    """Return the fields as all matching rules change them; the same object if no rule changes anything."""
    for rule in policy.presentation.annotations:
        matches = rule.host.fullmatch(request.host) and rule.path.fullmatch(request.target.partition("?")[0])
        if not matches or not rule.content_type.fullmatch(media_type(fields.get("content-type"))):
            continue
        changed = fields.without(rule.remove)
        for name, template in rule.set:
            value = _filled(template, values)
            # a field that has this value already is left in its place: moving it would turn a 200 into a 203
            if value is not None and changed.all(name) != (value,):
                changed = changed.replacing(name, value)
        added = [(name, value) for name, template in rule.append if (value := _filled(template, values)) is not None]
        changed = changed.appending(*added)
        fields = fields if changed.lines == fields.lines else changed
    return fields


def _filled(template: str, values: Mapping[str, str]) -> str | None:
    """Return a template with its values, or None if one of them is unknown."""
    if any(name not in values for name in _PLACEHOLDER.findall(template)):
        return None
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], template)
