"""What a person may name as a source, and how each is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from addon.offline.wanted import Found, Read, Wanted
from addon.warm.readers import har, lockfiles, sitemap, urls

Source = Callable[[Read], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Named:
    """Everything that was named for one round."""

    urls: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    hars: tuple[Path, ...] = ()
    locks: tuple[Path, ...] = ()
    index: str | None = None
    """The sparse index of Cargo, where its configuration names none."""
    fields: tuple[tuple[str, str], ...] = ()
    """Request fields for what no program is known to ask for."""

    def sources(self) -> list[Source]:
        """Return what is to be read."""
        return [
            *([self._urls] if self.urls else []),
            *(partial(self._sitemap, uri) for uri in self.sitemaps),
            *(partial(self._file, file) for file in self.files),
            *(partial(self._har, file) for file in self.hars),
            *(partial(self._lock, file) for file in self.locks),
        ]

    async def _urls(self, _read: Read) -> Found:
        return self._asked_with([Wanted(urls.checked(uri, "URL")) for uri in self.urls])

    async def _sitemap(self, uri: str, read: Read) -> Found:
        return self._asked_with(await sitemap.found_in(uri, read))

    async def _file(self, file: Path, _read: Read) -> Found:
        return self._asked_with(urls.found_in(file))

    async def _har(self, file: Path, _read: Read) -> Found:
        return har.found_in(file)

    async def _lock(self, file: Path, read: Read) -> Found:
        return await lockfiles.found_in(file, read, self.index)

    def _asked_with(self, found: Found) -> Found:
        return [Wanted(each.uri, self.fields) if isinstance(each, Wanted) else each for each in found]
