"""The kinds of text among the arguments of the admin API, each with the pattern that the OpenAPI document has for it.

All texts that match a pattern are accepted. So are some others, as hosts that are IPv6 addresses: no pattern of a
useful length has all of them and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from addon.recordings.library import NAME
from addon.warm.lockfiles import formats
from cache.http.fields import TOKEN
from cache.rules.key import key_of_uri

MAX_TEXT = 8192
"""Characters of the longest text."""

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,30}[A-Za-z0-9_])?"
_HOST = rf"{_LABEL}(\.{_LABEL}){{0,8}}"
_PLACE = rf"{_HOST}(:[1-9][0-9]{{0,3}})?"
_PATH = "(/[!-~]*)?"

_ANY_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)"
_ANY_PLACE = rf"{_ANY_HOST}(:[0-9]{{1,5}})?"


def _checked(accepted: str, expected: str, check: Callable[[str], object] = str) -> AfterValidator:
    """Return a validator for texts that match a pattern, and for which `check` raises no ValueError."""
    pattern = re.compile(accepted)

    def checked(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"expected {expected}")
        check(value)
        return value

    return AfterValidator(checked)


def _documented(pattern: str) -> Any:
    """Return what puts a pattern into the OpenAPI document."""
    return Field(json_schema_extra={"pattern": f"^({pattern})$"})


Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]

Url = Annotated[
    Text,
    _checked(rf"https?://{_ANY_PLACE}([/?][!-~]*)?", 'a URL in ASCII, like "https://example.org/path"', key_of_uri),
    _documented(rf"https?://{_PLACE}{_PATH}"),
]

Prefix = Annotated[
    Text,
    _checked(
        rf"/[!-~]*|(https?://)?{_ANY_PLACE}{_PATH}", 'the beginning of a URL, like "https://example.org/a", or a path'
    ),
    _documented(rf"/[!-~]*|(https?://)?{_PLACE}{_PATH}"),
]

Pattern = Annotated[
    Text,
    _checked("([/*]|https?://)[!-~]*", 'a pattern like "https://example.org/*", "*.png" or "/blog/*"'),
    _documented("([/*]|https?://)[!-~]*"),
]

Place = Annotated[Text, _checked(_ANY_PLACE, 'a host like "example.org" or "example.org:8080"'), _documented(_PLACE)]
"""A host with any port, or with one port."""

Host = Annotated[Text, _checked(_ANY_HOST, 'a host without a port, like "example.org"'), _documented(_HOST)]

HostPattern = Annotated[
    Text,
    _checked(r"[A-Za-z0-9_.*?\[\]:-]+", "the name of a host, or a pattern with * and ?"),
    _documented("[A-Za-z0-9_.*?-]+"),
]

Method = Annotated[Text, _checked(TOKEN.pattern, "a method like GET"), _documented(TOKEN.pattern)]

FieldName = Annotated[Text, _checked(TOKEN.pattern, "the name of a field, like ETag"), _documented(TOKEN.pattern)]

RecordingName = Annotated[
    Text,
    _checked(NAME.pattern, 'a name of letters, digits and "-", "_", "."'),
    _documented(NAME.pattern),
]

_LOCK_FILES = [each.name for each in formats.FORMATS]

LockFileName = Annotated[
    Text,
    _checked(rf"(?=[^/\0]+\Z)({'|'.join(map(translate, _LOCK_FILES))})", f"the name of a lock file: {formats.names()}"),
    _documented("|".join(re.escape(each).replace(r"\*", "[A-Za-z0-9_.-]{0,20}") for each in _LOCK_FILES)),
]

# fields are bytes, which are Latin-1 text here; people write UTF-8
FieldLine = Annotated[
    Text,
    _checked(rf"{TOKEN.pattern}:[^\r\n\0]*", 'a field like "Accept: text/html"'),
    _documented(rf"{TOKEN.pattern}:[ -~]*"),
]

Digest = Annotated[Text, _checked("[0-9a-f]{64}", "a SHA-256 in lower-case hexadecimal"), _documented("[0-9a-f]{64}")]
