"""What every table of the settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table: frozen, of known keys, and of exactly the types it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
