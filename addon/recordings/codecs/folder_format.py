"""The folder format of a recording, for people and version control: a manifest, and one file for each content.

A content file is named by its own digest, so the manifest cannot name a file outside the folder.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

MANIFEST = "manifest.json"
CONTENTS = "contents"

MAX_MANIFEST = 268_435_456
"""Maximum length in bytes of a manifest, which is read as a whole."""

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Seconds = Annotated[float, Meta(ge=0, le=1e11)]
FieldLine = tuple[str, str]


class ManifestExchange(Struct, forbid_unknown_fields=True):
    """An exchange. Times are seconds since the epoch; field lines are pairs of name and value, decoded as Latin-1."""

    method: str
    url: str
    request_fields: tuple[FieldLine, ...]
    status: Annotated[int, Meta(ge=100, le=599)]
    reason: str
    version: Literal["HTTP/1.0", "HTTP/1.1"]
    fields: tuple[FieldLine, ...]
    request_time: Seconds
    response_time: Seconds
    content: Sha256
    length: Annotated[int, Meta(ge=0)]
    scrubbed: bool = False
    request_content: Sha256 | None = None
    """Digest of a POST request's content, if that content selects the response."""


class Manifest(Struct, forbid_unknown_fields=True):
    """All exchanges of a recording."""

    format: Literal["secondhand recording"]
    version: Literal[1]
    exchanges: list[ManifestExchange]
