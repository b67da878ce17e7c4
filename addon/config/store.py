"""The tables `[store]` and `[memory]`: where responses are stored, and how many bytes of them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_serializer, field_validator

from addon.config.model import ExistingFile, PathText, Section
from addon.config.units import PositiveSeconds, PositiveSize, Size
from addon.config.user_folders import default_store, expanded
from cache.stores.redis.address import EngineAddress, parse_address

_PREFIX = re.compile(r"[A-Za-z0-9._:/-]{1,100}")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*:?)[^/@]*@")
"""The password in a URL, behind a name that may be missing."""

FREE_SPACE = "free"
"""The value of `max_object` that lets one content fill the free space of the store."""


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValueError('1 to 100 letters, digits and "-", "_", ".", ":", "/"')
    return value


class StoreSettings(Section):
    """The table `[store]`."""

    kind: Literal["disk", "memory", "redis"] = "disk"
    path: PathText = ""
    url: str = Field(default="", validate_default=True)
    prefix: Annotated[str, AfterValidator(_prefix)] = "secondhand"
    lifetime: PositiveSeconds = 7 * 86_400
    timeout: PositiveSeconds = 0.012
    ca_file: ExistingFile = ""
    client_certificate: ExistingFile = ""
    max_size: PositiveSize = 2 * 1024**3
    max_object: Size | Literal["free"] = 0
    project: str = ""
    captures: int = Field(default=1, ge=1, le=16)

    @field_validator("kind")
    @classmethod
    def _is_installed(cls, value: str) -> str:
        if value == "redis" and find_spec("hiredis") is None:
            raise ValueError('"disk" or "memory"; "redis" needs the extra: pip install "secondhand[redis]"')
        return value

    @field_validator("url")
    @classmethod
    def _names_an_engine(cls, value: str, info: ValidationInfo) -> str:
        if value or info.data.get("kind") == "redis":
            parse_address(value)
        return value

    @field_serializer("url")
    def _without_password(self, value: str) -> str:
        return _PASSWORD.sub(r"\1...@", value)

    @field_validator("max_object", mode="before")
    @classmethod
    def _empty_is_zero(cls, value: object) -> object:
        return 0 if value == "" else value

    @field_validator("max_object")
    @classmethod
    def _fits(cls, value: int | str, info: ValidationInfo) -> int | str:
        if isinstance(value, int) and value > info.data.get("max_size", value):
            raise ValueError("at most store.max_size")
        if value == FREE_SPACE and info.data.get("kind") == "redis":
            raise ValueError('a size, since with kind = "redis" the free space is not for this proxy alone')
        return value

    @property
    def directory(self) -> Path:
        """The directory of the store; by default in the user's cache directory."""
        return expanded(self.path).absolute() if self.path else default_store()

    @property
    def address(self) -> EngineAddress:
        """The address of the engine of the shared store. Raises ValueError if there is none."""
        return parse_address(self.url)

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
