"""Maven repositories: the files of a module, and those of the modules that it inherits from or imports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from addon.offline.wanted import Document, Found, Missing, Read, SourceError, Wanted
from addon.warm.lockfiles.xml_file import Element, parse_xml
from addon.warm.readers.urls import checked_url

GRADLE_MARKER = b"published-with-gradle-metadata"
"""A comment in a POM: Gradle reads the module's other metadata file as well."""

MAX_INHERITED = 50
"""Modules that are read for one module: what it inherits from and what it imports, and so on."""

Fields = tuple[tuple[str, str], ...]


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


class Repositories:
    """The repositories of a project, in the order in which they are asked."""

    def __init__(self, bases: Sequence[str], read: Read, fields: Fields, *, gradle: bool) -> None:
        """Use the repositories with these URLs.

        Args:
            bases: The URLs.
            read: Fetches a document through the cache.
            fields: The request fields of the program that will request the files.
            gradle: Also read the metadata that only Gradle reads.
        """
        self._bases = [base.rstrip("/") for base in bases]
        self._read = read
        self._fields = fields
        self._gradle = gradle

    async def locate(self, module: Module) -> LocatedModule | Missing:
        """Return where a module is, with its metadata; what is missing if no repository has its POM."""
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
            wanted.append(pom)
            return await self._described(module, base, wanted, document)
        return Missing(str(module), "; ".join(problems) or "there is no repository")

    async def _described(
        self, module: Module, base: str, wanted: list[Wanted], document: Document
    ) -> LocatedModule | Missing:
        try:
            project = parse_xml(document.content, document.uri)
            wanted += await self._inherited(project)
            files: tuple[str, ...] = ()
            if self._gradle and GRADLE_MARKER in document.content:
                more = Wanted(f"{base}/{module.path('.module')}", self._fields)
                wanted.append(more)
                files = tuple(_files_of(await self._read(more), module))
        except SourceError as error:
            return Missing(str(module), str(error))
        if not files and project.value("packaging") != "pom":
            files = (module.path(".jar"),)
        return LocatedModule(module, base, tuple(wanted), files)

    async def _inherited(self, project: Element) -> list[Wanted]:
        """Return the POMs of all modules that a project inherits from or imports. Raises SourceError."""
        found: dict[Module, list[Wanted]] = {}
        unread = list(_needed_by(project))
        while unread:
            module = unread.pop()
            if module in found:
                continue
            if len(found) == MAX_INHERITED:
                raise SourceError(f"{module}: inherits from or imports more than {MAX_INHERITED} modules")
            document, found[module] = await self._pom(module)
            unread += _needed_by(parse_xml(document.content, document.uri))
        return [each for wanted in found.values() for each in wanted]

    async def _pom(self, module: Module) -> tuple[Document, list[Wanted]]:
        """Return a POM, and what was requested to find it. Raises SourceError."""
        wanted: list[Wanted] = []
        problems: list[str] = []
        for base in self._bases:
            pom = Wanted(checked_url(f"{base}/{module.path('.pom')}", str(module)), self._fields)
            try:
                return await self._read(pom), [*wanted, pom]
            except SourceError as error:
                problems.append(str(error))
                wanted.append(replace(pom, may_be_absent=True))
        raise SourceError("; ".join(problems))


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
    for module in dict.fromkeys(modules):
        located = await repositories.locate(module)
        if isinstance(located, Missing):
            found.append(located)
        else:
            found += located.metadata
            found += [Wanted(f"{located.base}/{path}", located.metadata[0].fields) for path in located.files]
    return found
