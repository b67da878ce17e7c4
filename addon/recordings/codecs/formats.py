"""The file formats that a recording can be exported to."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """A file format."""

    HAR = "har"
    WARC = "warc"
    DIR = "dir"

    @property
    def suffix(self) -> str:
        """The usual end of the file name; empty for a folder."""
        return {Format.HAR: ".har", Format.WARC: ".warc.gz", Format.DIR: ""}[self]
