"""Archives like those of package registries, made from a few texts."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping


def tar_gz(files: Mapping[str, str]) -> bytes:
    """Return a compressed tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive. A jar is a zip archive too."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
