"""The tables `[store]` and `[memory]`: where responses are stored, and how many bytes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from addon.config.model import PathText, Section
from addon.config.units import PositiveSize, Size
from addon.config.user_folders import default_store, expanded

FREE_SPACE = "free"
"""The value of `max_object` that lets one content fill the free space of the store."""


class StoreSettings(Section):
    """The table `[store]`."""

    kind: Literal["disk", "memory"] = "disk"
    path: PathText = ""
    max_size: PositiveSize = 2 * 1024**3
    max_object: Size | Literal["free"] = 0
    project: str = ""
    captures: int = Field(default=1, ge=1, le=16)

    @field_validator("max_object", mode="before")
    @classmethod
    def _empty_is_zero(cls, value: object) -> object:
        return 0 if value == "" else value

    @field_validator("max_object")
    @classmethod
    def _fits(cls, value: int | str, info: ValidationInfo) -> int | str:
        if isinstance(value, int) and value > info.data.get("max_size", value):
            raise ValueError("at most store.max_size")
        return value

    @property
    def directory(self) -> Path:
        """The directory of the store; by default in the user's cache directory."""
        return expanded(self.path).absolute() if self.path else default_store()

    @property
    def largest_object(self) -> int:
        """The size in bytes of the largest content that is stored, however full the store is."""
        if isinstance(self.max_object, str):  # free space, if there is more
            return self.max_size // 2
        return self.max_object or self.max_size // 4


class MemorySettings(Section):
    """The table `[memory]`: the part of the store that is also kept in memory."""

    max_size: Size = 256 * 1024**2
    max_object: Size = 1024**2

    @property
    def hot_size(self) -> int:
        """Bytes for the hot cache, whose responses are ready to be sent."""
        return self.max_size * 7 // 8

    @property
    def store_size(self) -> int:
        """Bytes for stored responses in the form that the store has."""
        return self.max_size - self.hot_size
