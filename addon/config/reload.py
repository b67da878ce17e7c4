"""Settings that are read again while the proxy runs: what has changed, and what cannot change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.redaction import without_userinfo
from addon.config.settings import Settings
from addon.config.user_folders import expanded

FIXED = (
    *("listen", "listen_tls", "admin", "edge", "workers"),
    *("store", "memory", "offline.queue", "recordings", "tls.directory", "traces"),
)
"""Keys, and tables, that are used at the start only. Commands change recordings while the proxy runs."""

FIXED_WITH_WORKERS = ("listen", "listen_tls", "admin", "store.kind", "store.path")
"""The same where workers are started anew with other settings."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings, with the content of the files that they name when they were read."""

    settings: Settings
    contents: Mapping[Path, bytes]
    """A digest of each of these files that could be read."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return these settings, with the files as they are now."""
        return cls(settings, {file: digest for file in _named_files(settings) if (digest := _digest(file))})

    def changes_from(self, old: ReadSettings) -> str:
        """Return what has changed in comparison with older settings, in words."""
        files = [file for file in self.contents if file in old.contents and self.contents[file] != old.contents[file]]
        changed = [*changed_keys(old.settings, self.settings), *(f"the content of {file}" for file in files)]
        return ", ".join(changed) or "nothing has changed"


def _named_files(settings: Settings) -> Iterator[Path]:
    """Return the files that are read again with the settings."""
    yield settings.answer.client_list
    for site in settings.site:
        yield from (expanded(file) for file in sorted(site.users_files))
        for pair in site.tls:
            yield from (pair.cert_file, pair.key_file)


def _digest(file: Path) -> bytes:
    """Return a digest of the content of a file, or nothing if it cannot be read."""
    try:
        return sha256(file.read_bytes()).digest()
    except OSError:
        return b""


def changed_keys(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return the keys whose values differ, like `log.level`, in the order of the settings."""
    return tuple(_differences(old, new, ""))


def _differences(old: BaseModel, new: BaseModel, prefix: str) -> Iterator[str]:
    for name in type(old).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, BaseModel):
            yield from _differences(before, after, f"{prefix}{name}.")
        elif before != after:
            yield prefix + name


def refuse_fixed(old: Settings, new: Configuration, fixed: tuple[str, ...] = FIXED) -> None:
    """Raise ConfigError if one of the `fixed` keys has changed: it cannot change while the proxy runs."""
    changed = [key for key in changed_keys(old, new.settings) if key.startswith(fixed)]
    if changed:
        raise ConfigError(*(_fault(key, old, new) for key in changed))
    if old.is_edge != new.settings.is_edge:
        found, expected = ("no site", "at least one site") if old.is_edge else ("sites", "no site")
        problem = f"found {found}, expected {expected} as long as the proxy runs; to change it, restart the proxy"
        raise ConfigError(Fault(new.source("site") or "settings", "site", problem))


def _fault(key: str, old: Settings, new: Configuration) -> Fault:
    location = key.split(".")
    found, expected = _value(new.settings, location), _value(old, location)
    found, expected = (without_userinfo(repr(each)) for each in (found, expected))
    problem = f"found {found}, expected {expected} as long as the proxy runs; to change it, restart the proxy"
    return Fault(new.source(*location) or "settings", key, problem)


def _value(settings: BaseModel, location: list[str]) -> object:
    value: object = settings
    for name in location:
        value = getattr(value, name)
    return value
