"""The operator's rules on metainformation, checked: what a local rule may say, and about which fields."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator

from cache.answer.annotations import PLACEHOLDERS
from cache.http.field_table import row
from cache.http.fields import TOKEN
from cache.policy.rules import AnnotationRule, glob

_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# made by the proxy itself, or true only of the octets as the origin sent them
_OWN = frozenset(
    {"age", "cache-status", "content-encoding", "content-length", "content-range", "date", "proxy-status", "via"}
)
# validators are compared with what the origin sent: they may be hidden, never made up
_VALIDATORS = frozenset({"etag", "last-modified"})


def is_reserved(name: str) -> bool:
    """Tell whether no local rule may touch a field: framing, this hop's own, and what the proxy itself says."""
    # RFC 9111 §3.1 and RFC 9110 §7.6.1: a field that is not even stored belongs to one connection
    return name.lower() in _OWN or row(name).hop_by_hop or not row(name).stored


def _field_name(name: str) -> str:
    if not TOKEN.fullmatch(name):
        raise ValueError('the name of a field, like "X-Copy-Of"')
    if is_reserved(name):
        raise ValueError(f"a field that a local rule may touch; {name} is framing, of one hop, or the proxy's own")
    return name


def _made_up_name(name: str) -> str:
    if name.lower() in _VALIDATORS:
        raise ValueError(f"a field that a local rule may say; {name} is the origin's validator and can only be removed")
    return _field_name(name)


def _template(value: str) -> str:
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError("a field value: Latin-1 characters, no line ends or other control characters")
    for name in _PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{placeholder}}}" for placeholder in sorted(PLACEHOLDERS))
            raise ValueError(f"a known placeholder in place of {{{name}}}: {known}")
    return value


FieldName = Annotated[str, AfterValidator(_field_name)]
FieldTemplates = dict[Annotated[str, AfterValidator(_made_up_name)], Annotated[str, AfterValidator(_template)]]


class Annotation(BaseModel):
    """One `[[annotate]]` table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    host: str = "*"
    path: str = "*"
    content_type: str = "*"
    set: FieldTemplates = Field(default={})
    append: FieldTemplates = Field(default={})
    remove: Annotated[tuple[FieldName, ...], Strict(strict=False)] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.set or self.append or self.remove):
            raise ValueError("at least one field in set, append or remove")
        return self

    def rule(self) -> AnnotationRule:
        """Return the rule as the cache takes it."""
        return AnnotationRule(
            host=glob(self.host),
            path=glob(self.path),
            content_type=glob(self.content_type),
            set=tuple(self.set.items()),
            append=tuple(self.append.items()),
            remove=self.remove,
        )
