"""Cargo.lock: the crates, and what Cargo reads of their registry's index."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from addon.offline.wanted import Digest, Found, Missing, Read, SourceError, Wanted, read_text
from addon.warm.readers.urls import checked

# what Cargo asks an index and a registry with
INDEX_FIELDS = (("Accept", "text/plain"), ("Accept-Encoding", "deflate, gzip"), ("cargo-protocol", "version=1"))
FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "deflate, gzip"))

UNNAMED = "crates-io"
"""What Cargo calls the registry that it uses where a manifest names none."""


@dataclass(frozen=True, slots=True)
class _Crate:
    name: str
    version: str
    source: str
    checksum: str

    @property
    def prefix(self) -> str:
        """Where the index has a crate of this name (The Cargo Book, Registry Index)."""
        if len(self.name) < 4:
            return f"{len(self.name)}/{self.name[0]}" if len(self.name) == 3 else str(len(self.name))
        return f"{self.name[:2]}/{self.name[2:4]}"


async def found_in(file: Path, read: Read, index: str | None = None) -> Found:
    """Return every crate, with its place in the index.

    Args:
        file: The lock file.
        read: Reads the configuration of an index.
        index: The sparse index to go by where Cargo's own configuration names none.

    Raises:
        SourceError: naming what is wrong.
    """
    crates = _crates(file)
    configuration = _configuration(file)
    sources = dict.fromkeys(crate.source for crate in crates)
    indexes = {source: _index_of(source, configuration, index) for source in sources}
    known = {source: place for source, place in indexes.items() if place}
    downloads = dict(
        zip(known, await asyncio.gather(*(_download(place, read) for place in known.values())), strict=True)
    )
    found: Found = [Wanted(f"{place}config.json", INDEX_FIELDS) for place in dict.fromkeys(known.values())]
    for crate in crates:
        if crate.source in known:
            path = f"{crate.prefix.lower()}/{crate.name.lower()}"
            archive = _filled(downloads[crate.source], crate)
            found.append(Wanted(known[crate.source] + path, INDEX_FIELDS))
            found.append(Wanted(checked(archive, str(file)), FIELDS, Digest("sha256", crate.checksum)))
        else:
            found.append(Missing(crate.name, _why_unknown(crate.source)))
    return found


def _crates(file: Path) -> list[_Crate]:
    try:
        packages = tomllib.loads(read_text(file)).get("package", [])
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{file}: {error}") from None
    crates = []
    for number, package in enumerate(packages, start=1):
        match package:
            case {"name": str(name), "version": str(version), "source": str(source)} if name:
                crates.append(_Crate(name, version, source, str(package.get("checksum", ""))))
            case {"name": str(), "version": str()}:
                pass  # a package of this workspace
            case _:
                raise SourceError(f"{file}: #{number}: expected a package with name and version")
    return crates


def _configuration(lock: Path) -> dict[str, dict[str, Mapping[str, object]]]:
    """Return the tables `source` and `registries` of Cargo's configuration, as seen from where a lock file is."""
    folder = lock.absolute().parent
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    tables: dict[str, dict[str, Mapping[str, object]]] = {"source": {}, "registries": {}}
    for directory in (*(each / ".cargo" for each in (folder, *folder.parents)), home):
        file = next((each for name in ("config", "config.toml") if (each := directory / name).is_file()), None)
        if file is None:
            continue
        try:
            read = tomllib.loads(read_text(file))
        except tomllib.TOMLDecodeError as error:
            raise SourceError(f"{file}: {error}") from None
        for table, known in tables.items():
            for name, value in read.get(table, {}).items():
                if isinstance(value, dict):
                    known[name] = {**value, **known.get(name, {})}
    return tables


def _index_of(source: str, configuration: dict[str, dict[str, Mapping[str, object]]], index: str | None) -> str | None:
    """Return the sparse index behind what a lock file calls a source, with a slash at its end, or None."""
    sources, registries = configuration["source"], configuration["registries"]
    named = source.removeprefix("registry+")
    name = next((name for name, value in registries.items() if value.get("index") == named), UNNAMED)
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


def _why_unknown(source: str) -> str:
    if source.startswith("git+"):
        return "it comes from a Git repository: clone it through the proxy"
    return f"Cargo's configuration names no sparse index for {source}: name one with --index"


async def _download(index: str, read: Read) -> str:
    """Return the template of an index's download URLs."""
    document = await read(Wanted(f"{index}config.json", INDEX_FIELDS))
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
