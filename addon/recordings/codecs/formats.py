"""What a recording can be written as."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """A kind of file."""

    HAR = "har"
    WARC = "warc"
    DIR = "dir"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends with."""
        return {Format.HAR: ".har", Format.WARC: ".warc.gz", Format.DIR: ""}[self]
