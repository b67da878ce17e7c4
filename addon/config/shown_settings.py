"""The settings as they may be shown: without what they keep secret."""

from __future__ import annotations

from collections.abc import Mapping

from addon.config.redaction import HIDDEN, without_userinfo
from addon.config.settings import Settings

HIDDEN_VALUE = "[hidden]"

_FIELD_VALUES = frozenset({"set", "append"})
"""Tables with fields that are sent to origins or clients: an API key may be among their values."""


def shown_settings(settings: Settings) -> dict[str, object]:
    """Return settings as JSON has them, without the values of fields, and names, passwords and queries in URLs."""
    return _shown_table(settings.model_dump(mode="json"))


def _shown_table(table: Mapping[str, object]) -> dict[str, object]:
    return {name: _shown(name, value) for name, value in table.items()}


def _shown(name: str, value: object) -> object:
    match value:
        case dict() if name in _FIELD_VALUES:
            return dict.fromkeys(value, HIDDEN_VALUE)
        case dict():
            return _shown_table(value)
        case list():
            return [_shown(name, each) for each in value]
        case str() if "://" in value or value.startswith("/"):
            return _shown_url(value)
    return value


def _shown_url(value: str) -> str:
    """Return a URL or a path, without secrets. A path with a question mark may also be a pattern, which is shown."""
    shown = without_userinfo(value)
    path, mark, query = shown.partition("?")
    return path + HIDDEN if mark and "=" in query else shown
