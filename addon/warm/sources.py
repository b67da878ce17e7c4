"""The sources that the user can name, and the function that reads each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from addon.offline.wanted import Fields, Found, Read, Wanted
from addon.warm.lockfiles import formats
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.readers import har, sitemap, urls

Source = Callable[[Read], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class NamedSources:
    """All sources that the user named."""

    urls: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    hars: tuple[Path, ...] = ()
    locks: tuple[Path, ...] = ()
    indexes: tuple[str, ...] = ()
    """Indexes or repositories, for lock files that name none."""
    fields: Fields = ()
    """Request fields for sources that do not tell which program will request the URLs."""

    def sources(self) -> list[Source]:
        """Return a function for each source, which reads it."""
        return [
            *([self._urls] if self.urls else []),
            *(partial(self._sitemap, uri) for uri in self.sitemaps),
            *(partial(self._file, file) for file in self.files),
            *(partial(self._har, file) for file in self.hars),
            *(partial(self._lock, file) for file in self.locks),
        ]

    async def _urls(self, _read: Read) -> Found:
        return self._with_fields([Wanted(urls.checked_url(uri, "URL")) for uri in self.urls])

    async def _sitemap(self, uri: str, read: Read) -> Found:
        return self._with_fields(await sitemap.found_in(uri, read))

    async def _file(self, file: Path, _read: Read) -> Found:
        return self._with_fields(urls.found_in(file))

    async def _har(self, file: Path, _read: Read) -> Found:
        return har.found_in(file)

    async def _lock(self, file: Path, read: Read) -> Found:
        return await formats.found_in(LockFile(file, read, self.indexes))

    def _with_fields(self, found: Found) -> Found:
        return [Wanted(each.uri, self.fields) if isinstance(each, Wanted) else each for each in found]
