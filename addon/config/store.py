"""The tables `[store]` and `[memory]`: where copies are kept, and how much of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, ValidationInfo, field_validator

from addon.config.section import Section
from addon.config.units import Octets, PositiveOctets


class StoreSettings(Section):
    """Where copies are kept, and how much of them."""

    kind: Literal["disk", "memory"] = "disk"
    path: str = ""
    max_size: PositiveOctets = 2 * 1024**3
    max_object: Octets = 0
    captures: int = Field(default=1, ge=1, le=16)

    @field_validator("max_object", mode="before")
    @classmethod
    def _nothing_is_zero(cls, value: object) -> object:
        return 0 if value == "" else value

    @field_validator("max_object")
    @classmethod
    def _fits(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("max_size", value):
            raise ValueError("at most store.max_size")
        return value

    @property
    def directory(self) -> Path:
        """The directory of the store; the user's cache directory where none is named."""
        return Path(self.path).expanduser().absolute() if self.path else user_cache_path("secondhand") / "store"

    @property
    def largest_object(self) -> int:
        """Octets of the largest body that is stored."""
        return self.max_object or self.max_size // 4


class MemorySettings(Section):
    """What of the store is kept in memory as well."""

    max_size: Octets = 256 * 1024**2
    max_object: Octets = 1024**2

    @property
    def hot_size(self) -> int:
        """Octets for whole answers that are ready to be sent."""
        return self.max_size * 7 // 8

    @property
    def store_size(self) -> int:
        """Octets for stored responses as the store has them."""
        return self.max_size - self.hot_size
