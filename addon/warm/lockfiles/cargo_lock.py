"""Cargo.lock: the crates, and the index files that Cargo reads for them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from addon.config.user_folders import expanded
from addon.offline.wanted import Digest, Found, Missing, Read, SourceError, Wanted, list_in, read_toml
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git
from addon.warm.readers.urls import checked_url

# the request fields that Cargo sends to an index and to a registry
CARGO_INDEX_FIELDS = (("Accept", "text/plain"), ("Accept-Encoding", "deflate, gzip"), ("cargo-protocol", "version=1"))
CRATE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "deflate, gzip"))

DEFAULT_REGISTRY = "crates-io"
"""Cargo's name for the registry of dependencies without one."""


@dataclass(frozen=True, slots=True)
class _Crate:
    name: str
    version: str
    source: str
    checksum: str

    @property
    def prefix(self) -> str:
        """The folder of the index file of this crate (The Cargo Book, Registry Index)."""
        if len(self.name) < 4:
            return f"{len(self.name)}/{self.name[0]}" if len(self.name) == 3 else str(len(self.name))
        return f"{self.name[:2]}/{self.name[2:4]}"


async def found_in(lock: LockFile) -> Found:
    """Return the URLs of every crate and of its index file. Raises SourceError."""
    file, read = lock.path, lock.read
    index = lock.indexes[0] if lock.indexes else None
    crates = _crates(file)
    configuration = _configuration(lock.folder)
    sources = dict.fromkeys(crate.source for crate in crates)
    all_indexes = {source: _index_of(source, configuration, index) for source in sources}
    indexes = {source: url for source, url in all_indexes.items() if url}
    templates = dict(
        zip(indexes, await asyncio.gather(*(_download_template(url, read) for url in indexes.values())), strict=True)
    )
    found: Found = [Wanted(f"{url}config.json", CARGO_INDEX_FIELDS) for url in indexes.values()]
    for crate in crates:
        if crate.source in indexes:
            path = f"{crate.prefix.lower()}/{crate.name.lower()}"
            archive = _filled(templates[crate.source], crate)
            found.append(Wanted(indexes[crate.source] + path, CARGO_INDEX_FIELDS))
            found.append(Wanted(checked_url(archive, str(file)), CRATE_FIELDS, Digest("sha256", crate.checksum)))
        else:
            found.append(_without_index(crate))
    return found


def _crates(file: Path) -> list[_Crate]:
    crates = []
    for number, package in enumerate(list_in(read_toml(file), "package", file), start=1):
        match package:
            case {"name": str(name), "version": str(version), "source": str(source), **rest} if name:
                crates.append(_Crate(name, version, source, str(rest.get("checksum", ""))))
            case {"name": str(), "version": str()}:
                pass  # a package of this workspace
            case _:
                raise SourceError(f"{file}: #{number}: expected a package with name and version")
    return crates


def _configuration(folder: Path) -> dict[str, dict[str, Mapping[str, object]]]:
    """Return the tables `source` and `registries` of Cargo's configuration for the folder of a lock file."""
    home = Path(os.environ.get("CARGO_HOME") or expanded("~/.cargo"))
    tables: dict[str, dict[str, Mapping[str, object]]] = {"source": {}, "registries": {}}
    for directory in (*(each / ".cargo" for each in (folder, *folder.parents)), home):
        file = next((each for name in ("config", "config.toml") if (each := directory / name).is_file()), None)
        if file is None:
            continue
        content = read_toml(file)
        for table, merged in tables.items():
            named = content.get(table)
            for name, value in (named if isinstance(named, dict) else {}).items():
                if isinstance(value, dict):
                    merged[name] = {**value, **merged.get(name, {})}
    return tables


def _index_of(source: str, configuration: dict[str, dict[str, Mapping[str, object]]], index: str | None) -> str | None:
    """Return the URL of the sparse index for a source of the lock file, with a slash at its end, or None."""
    sources, registries = configuration["source"], configuration["registries"]
    url = source.removeprefix("registry+")
    name = next((name for name, value in registries.items() if value.get("index") == url), DEFAULT_REGISTRY)
    seen: set[str] = set()
    while name not in seen and isinstance(other := sources.get(name, {}).get("replace-with"), str):
        seen.add(name)
        name = other
    replaced = sources.get(name, {}).get("registry") or registries.get(name, {}).get("index")
    found = source if source.startswith("sparse+") and not seen else replaced if seen else None
    if found is None and index and source.startswith("registry+"):
        found = f"sparse+{index.removeprefix('sparse+')}"
    if not isinstance(found, str) or not found.startswith("sparse+"):
        return None
    return found.removeprefix("sparse+").rstrip("/") + "/"


def _without_index(crate: _Crate) -> Missing:
    if crate.source.startswith("git+"):
        return from_git(crate.name)
    why = f"Cargo's configuration names no sparse index for {crate.source}: name one with --index"
    return Missing(crate.name, why)


async def _download_template(index: str, read: Read) -> str:
    """Return the template of the download URLs of an index. Raises SourceError."""
    document = await read(Wanted(f"{index}config.json", CARGO_INDEX_FIELDS))
    try:
        template = json.loads(document.content)["dl"]
    except (ValueError, TypeError, KeyError, RecursionError):
        template = None
    if not isinstance(template, str):
        raise SourceError(f"{document.uri}: expected JSON with the template dl")
    return template if "{" in template else f"{template}/{{crate}}/{{version}}/download"


def _filled(template: str, crate: _Crate) -> str:
    values = {"crate": crate.name, "version": crate.version, "prefix": crate.prefix}
    values |= {"lowerprefix": crate.prefix.lower(), "sha256-checksum": crate.checksum}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
