"""The table `[codings]`: the content codings between the proxy and its clients."""

from __future__ import annotations

from typing import Literal

from addon.config.model import Section
from cache.policy.cache_policy import CodingPolicy


class CodingsSettings(Section):
    """The table `[codings]`."""

    accept_encoding: Literal["auto", "classes", "as-sent"] = "auto"

    def policy(self, *, is_edge: bool) -> CodingPolicy:
        """Return the part of the policy that follows from the table."""
        classes = is_edge if self.accept_encoding == "auto" else self.accept_encoding == "classes"
        return CodingPolicy(classes=classes)
