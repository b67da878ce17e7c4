"""Archives as package registries give them out, made of a few texts."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping


def tar_gz(files: Mapping[str, str]) -> bytes:
    """Return a compressed tar archive."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return octets.getvalue()


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive, which a jar is too."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return octets.getvalue()
