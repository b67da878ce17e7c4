"""The table `[codings]`: the content codings between the proxy and its clients."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Strict

from addon.config.model import Section, Strings
from addon.config.units import Size
from cache.policy.cache_policy import CodingPolicy
from cache.policy.operator_rules import glob

# text, and formats of numbers and fonts that are not compressed in themselves
COMPRESSIBLE = (
    "text/*",
    "*+json",
    "*+xml",
    "application/*json",
    "application/*javascript",
    "application/ecmascript",
    "application/xml",
    "application/wasm",
    "application/vnd.ms-fontobject",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
)


class CodingsSettings(Section):
    """The table `[codings]`."""

    accept_encoding: Literal["auto", "classes", "as-sent"] = "auto"
    compress: Annotated[tuple[Literal["br", "zstd", "gzip"], ...], Strict(strict=False)] = ()
    min_size: Size = 1024
    content_types: Strings = COMPRESSIBLE

    def policy(self, *, is_edge: bool) -> CodingPolicy:
        """Return the part of the policy that follows from the table."""
        classes = is_edge if self.accept_encoding == "auto" else self.accept_encoding == "classes"
        kinds = tuple(map(glob, self.content_types))
        return CodingPolicy(classes, compress=self.compress, min_size=self.min_size, content_types=kinds)
