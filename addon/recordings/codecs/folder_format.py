"""A recording as a folder for people and version control: a manifest, and a file for each content.

A content's file is named by its own digest, so the manifest can name nothing outside the folder.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

MANIFEST = "manifest.json"
CONTENTS = "contents"

MAX_MANIFEST = 268_435_456
"""Octets of a manifest, which is read in one piece."""

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Seconds = Annotated[float, Meta(ge=0, le=1e11)]
Line = tuple[str, str]


class Kept(Struct, forbid_unknown_fields=True):
    """An exchange. Times are seconds since the epoch; field lines are pairs, a character for each octet."""

    method: str
    url: str
    request_fields: tuple[Line, ...]
    status: Annotated[int, Meta(ge=100, le=599)]
    reason: str
    version: Literal["HTTP/1.0", "HTTP/1.1"]
    fields: tuple[Line, ...]
    request_time: Seconds
    response_time: Seconds
    content: Sha256
    length: Annotated[int, Meta(ge=0)]
    scrubbed: bool = False
    request_content: Sha256 | None = None
    """The digest of what a POST sent, where that is part of what it asks for."""


class Manifest(Struct, forbid_unknown_fields=True):
    """All of them."""

    format: Literal["secondhand recording"]
    version: Literal[1]
    exchanges: list[Kept]
