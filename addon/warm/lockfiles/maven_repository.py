"""Maven repositories: the files of a module, and those of the modules that it inherits from or imports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from addon.offline.wanted import Document, Fields, Found, Missing, Read, SourceError, Wanted
from addon.warm.readers.urls import checked_url
from addon.warm.readers.xml_file import Element, parse_xml

GRADLE_MARKER = b"published-with-gradle-metadata"
"""A comment in a POM: Gradle reads the module's other metadata file as well."""

MAX_INHERITED = 50
"""Modules that are read for one module: what it inherits from and what it imports, and so on."""


@dataclass(frozen=True, slots=True)
class Module:
    """The coordinates of a module in a repository."""

    group: str
    name: str
    version: str

    @property
    def folder(self) -> str:
        """The path of its files."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}"

    def path(self, suffix: str) -> str:
        """Return the path of the file whose name has this after the name and version, like `.jar`."""
        return f"{self.folder}/{self.name}-{self.version}{suffix}"

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class LocatedModule:
    """A module and what was requested to find it."""

    module: Module
    base: str
    """The URL of the repository that has it."""
    metadata: tuple[Wanted, ...]
    """Its POM, that of each module that it inherits from or imports, and what repositories without it were asked."""
    files: tuple[str, ...]
    """The paths of its files in the repository, as its metadata names them."""


@dataclass(frozen=True, slots=True)
class _Pom:
    """The POM of a module."""

    base: str
    """The URL of the repository that has it."""
    content: bytes
    project: Element
    """Its root element."""
    wanted: tuple[Wanted, ...]
    """The requests that found it."""


class Repositories:
    """The repositories of a project, in the order in which they are asked."""

    def __init__(self, bases: Sequence[str], read: Read, fields: Fields, *, gradle: bool) -> None:
        """Use the repositories with these URLs.

        Args:
            bases: The URLs.
            read: Fetches a document through the cache.
            fields: The request fields of the program that will request the files.
            gradle: Also read the metadata that only Gradle reads.

        Raises:
            SourceError: A URL is invalid.
        """
        self._bases = [checked_url(base.rstrip("/"), "repository") for base in bases]
        self._read = read
        self._fields = fields
        self._gradle = gradle
        self._poms: dict[Module, asyncio.Task[_Pom]] = {}

    async def locate(self, module: Module) -> LocatedModule | Missing:
        """Return where a module is, with its metadata; what is missing if no repository has its POM."""
        files: tuple[str, ...] = ()
        try:
            pom = await self._pom(module)
            metadata = [*pom.wanted, *await self._inherited(pom.project)]
            if self._gradle and GRADLE_MARKER in pom.content:
                more = Wanted(f"{pom.base}/{module.path('.module')}", self._fields)
                metadata.append(more)
                files = tuple(_files_of(await self._read(more), module))
        except SourceError as error:
            return Missing(str(module), str(error))
        if not files and pom.project.value("packaging") != "pom":
            files = (module.path(".jar"),)
        return LocatedModule(module, pom.base, tuple(metadata), files)

    async def _inherited(self, project: Element) -> list[Wanted]:
        """Return the POMs of all modules that a project inherits from or imports. Raises SourceError."""
        found: dict[Module, tuple[Wanted, ...]] = {}
        unread = list(_needed_by(project))
        while unread:
            module = unread.pop()
            if module in found:
                continue
            if len(found) == MAX_INHERITED:
                raise SourceError(f"{module}: inherits from or imports more than {MAX_INHERITED} modules")
            pom = await self._pom(module)
            found[module] = pom.wanted
            unread += _needed_by(pom.project)
        return [each for wanted in found.values() for each in wanted]

    async def _pom(self, module: Module) -> _Pom:
        """Return the POM of a module, which many others may inherit from: it is read once. Raises SourceError."""
        if module not in self._poms:
            self._poms[module] = asyncio.create_task(self._read_pom(module))
        return await self._poms[module]

    async def _read_pom(self, module: Module) -> _Pom:
        wanted: list[Wanted] = []
        problems: list[str] = []
        for base in self._bases:
            pom = Wanted(checked_url(f"{base}/{module.path('.pom')}", str(module)), self._fields)
            try:
                document = await self._read(pom)
            except SourceError as error:
                problems.append(str(error))
                wanted.append(replace(pom, may_be_absent=True))
                continue
            return _Pom(base, document.content, parse_xml(document.content, document.uri), (*wanted, pom))
        raise SourceError("; ".join(problems) or "there is no repository")


def _needed_by(project: Element) -> Iterator[Module]:
    """Iterate over the modules that a project inherits from or imports, if their versions are written out."""
    imports = (
        each
        for each in project.all("dependencyManagement", "dependencies", "dependency")
        if each.value("scope") == "import"
    )
    for each in (*project.all("parent"), *imports):
        module = Module(*(_substituted(each.value(key), project) for key in ("groupId", "artifactId", "version")))
        if all((module.group, module.name, module.version)) and "$" not in str(module):
            yield module


def _substituted(text: str, project: Element) -> str:
    """Return a value in which a property of this project, if it is nothing else, has been replaced."""
    if not (text.startswith("${") and text.endswith("}")):
        return text
    name = text[2:-1]
    if name.startswith("project."):
        key = name.removeprefix("project.")
        return project.value(key) or project.value("parent", key) or text
    return project.value("properties", name) or text


def _files_of(document: Document, module: Module) -> Iterator[str]:
    """Iterate over the paths of the files of all variants in Gradle's metadata. Raises SourceError."""
    try:
        variants = json.loads(document.content).get("variants", [])
        urls = [str(file["url"]) for variant in variants for file in variant.get("files", [])]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SourceError(f"{document.uri}: expected JSON with variants, each with files that have a url") from None
    return (f"{module.folder}/{url}" for url in dict.fromkeys(urls) if "/" not in url and ":" not in url)


async def requests_for(modules: Sequence[Module], repositories: Repositories) -> Found:
    """Return the metadata and the files of modules."""
    found: Found = []
    for located in await asyncio.gather(*map(repositories.locate, dict.fromkeys(modules))):
        if isinstance(located, Missing):
            found.append(located)
        else:
            found += located.metadata
            found += [Wanted(f"{located.base}/{path}", located.metadata[0].fields) for path in located.files]
    return found
