"""The tables `[[annotate]]`: local rules that set, append or remove response fields."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from addon.config.model import Section
from cache.answer.annotations import PLACEHOLDERS
from cache.http.field_table import row
from cache.http.fields import TOKEN
from cache.policy.operator_rules import AnnotationRule, glob

_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# the proxy generates these itself, or they are true only of the bytes that the origin sent
_OWN = frozenset(
    {"age", "cache-status", "content-encoding", "content-length", "content-range", "date", "proxy-status", "via"}
)
# validators are compared with those of the origin: a rule may remove them, but not make them up
_VALIDATORS = frozenset({"etag", "last-modified"})


def is_reserved(name: str) -> bool:
    """Return whether no local rule may change a field: framing, hop-by-hop fields, and fields of the proxy itself."""
    # RFC 9111 §3.1 and RFC 9110 §7.6.1: a field that is not even stored belongs to one connection
    return name.lower() in _OWN or row(name).hop_by_hop or not row(name).stored


def _field_name(name: str) -> str:
    if not TOKEN.fullmatch(name):
        raise ValueError('the name of a field, like "X-Copy-Of"')
    if is_reserved(name):
        raise ValueError(
            f"a field that a local rule may change; {name} is framing, a hop-by-hop field, or the proxy's own"
        )
    return name


def _settable_field_name(name: str) -> str:
    if name.lower() in _VALIDATORS:
        raise ValueError(f"a field that a local rule may set; {name} is the origin's validator and can only be removed")
    return _field_name(name)


def field_value(value: str) -> str:
    """Return a field value. Raises ValueError, whose text names the expected value."""
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError("a field value: Latin-1 characters, no line ends or other control characters")
    return value


def _value_template(value: str) -> str:
    field_value(value)
    for name in _PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{placeholder}}}" for placeholder in sorted(PLACEHOLDERS))
            raise ValueError(f"a known placeholder in place of {{{name}}}: {known}")
    return value


FieldName = Annotated[str, AfterValidator(_field_name)]
FieldTemplates = dict[
    Annotated[str, AfterValidator(_settable_field_name)], Annotated[str, AfterValidator(_value_template)]
]


FieldValues = dict[Annotated[str, AfterValidator(_settable_field_name)], Annotated[str, AfterValidator(field_value)]]
"""Fields with values that are sent as they are."""


class AnnotationSettings(Section):
    """One `[[annotate]]` table."""

    host: str = "*"
    path: str = "*"
    content_type: str = "*"
    set: FieldTemplates = Field(default={})
    append: FieldTemplates = Field(default={})
    remove: Annotated[tuple[FieldName, ...], Strict(strict=False)] = ()

    @model_validator(mode="after")
    def _changes_a_field(self) -> Self:
        if not (self.set or self.append or self.remove):
            raise ValueError("at least one field in set, append or remove")
        return self

    def rule(self) -> AnnotationRule:
        """Return the rule in the form that the cache policy has."""
        return AnnotationRule(
            host=glob(self.host),
            path=glob(self.path),
            content_type=glob(self.content_type),
            set=tuple(self.set.items()),
            append=tuple(self.append.items()),
            remove=self.remove,
        )
