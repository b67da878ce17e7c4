"""The table `[purge]`: who may purge over HTTP, and which fields of responses have cache tags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Strict

from addon.config.model import LowerCaseTokens, PathText, Section
from addon.config.trusted_proxies import trusted_proxy
from addon.config.user_folders import expanded
from cache.policy.cache_policy import TAG_FIELDS
from cache.rules.tags import GROUPS_FIELD


class PurgeSettings(Section):
    """The table `[purge]`."""

    allow: Annotated[tuple[Annotated[str, AfterValidator(trusted_proxy)], ...], Strict(strict=False)] = ()
    token_file: PathText = ""
    log: PathText = ""
    tag_fields: LowerCaseTokens = TAG_FIELDS
    strip_tags: Literal["auto", "on", "off"] = "auto"

    def token(self, store: Path) -> Path:
        """Return the file with the token; `store` is the directory of the store."""
        return expanded(self.token_file).absolute() if self.token_file else store / "purge.token"

    def log_file(self, store: Path) -> Path:
        """Return the log of purges; `store` is the directory of the store."""
        return expanded(self.log).absolute() if self.log else store / "purges.log"

    def stripped(self, *, is_edge: bool) -> tuple[str, ...]:
        """Return the names of the fields with tags that clients do not get."""
        strips = is_edge if self.strip_tags == "auto" else self.strip_tags == "on"
        return tuple(name for name in self.tag_fields if name != GROUPS_FIELD) if strips else ()
