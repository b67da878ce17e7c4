"""yarn.lock of Yarn 2 and later: YAML with the name and the version of each package, whose URL Yarn derives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

from addon.offline.wanted import Found, Missing, SourceError, Wanted
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.npm_registry import Registries
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.this_machine import npm_names
from addon.warm.lockfiles.tool import output_of
from addon.warm.lockfiles.yaml_file import yaml_documents
from addon.warm.readers.urls import is_http

# the request fields that Yarn sends for tarballs; the digests of the lock file are those of what Yarn makes from them
TARBALL_FIELDS = (("Accept-Encoding", "gzip, deflate, br"),)

_LOCATOR = re.compile(r"(?P<name>@[^/@]+/[^@]+|[^@]+)@(?P<reference>.+)")
_ON_THIS_MACHINE = ("workspace:", "link:", "portal:", "file:", "patch:", "virtual:", "exec:")
_CONDITION = re.compile(r"(?P<not>!?)(?P<key>os|cpu|libc)=(?P<value>\w+)")

Entry = Mapping[str, object]


async def found_in(lock: LockFile, text: str) -> Found:
    """Return the tarballs of every package for this machine. Raises SourceError."""
    [table, *_] = yaml_documents(text, lock.path)
    entries = {key: entry for key, entry in table.items() if key != "__metadata"}
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("resolution"), str):
            raise SourceError(f"{lock.path}: {key}: expected a package with resolution")
    needed = {key: entry for key, entry in entries.items() if isinstance(entry, dict)}
    optional = _optional_descriptors(needed)
    if not needed:
        return []
    registries = await _registries(lock.folder)
    wanted = (
        _tarball(str(entry["resolution"]), registries, f"{lock.path}: {key}")
        for key, entry in needed.items()
        if _is_for_this_machine(entry) or not optional & set(key.split(", "))
    )
    return [each for each in wanted if each]


async def _registries(folder: Path) -> Registries:
    """Return the registries that Yarn is configured for. Raises SourceError."""
    server = await output_of(("yarn", "config", "get", "npmRegistryServer"), folder)
    if not is_http(server):
        raise SourceError(f'yarn config get npmRegistryServer: found "{server}", expected a URL')
    try:
        scopes = json.loads(await output_of(("yarn", "config", "get", "npmScopes", "--json"), folder))
    except ValueError:
        scopes = None  # Yarn prints "undefined" if there are none
    own = {
        f"@{scope}": url.rstrip("/")
        for scope, values in (scopes if isinstance(scopes, dict) else {}).items()
        if isinstance(values, dict) and isinstance(url := values.get("npmRegistryServer"), str)
    }
    return Registries(server.rstrip("/"), own)


def _optional_descriptors(entries: Mapping[str, Entry]) -> set[str]:
    """Return what is needed only if it is for this machine; Yarn fetches everything else.

    Yarn also fetches what it patches itself, like fsevents, although the patched package is left out.
    """
    found = set()
    for entry in entries.values():
        dependencies, meta = entry.get("dependencies"), entry.get("dependenciesMeta")
        if isinstance(dependencies, dict) and isinstance(meta, dict):
            found |= {
                f"{name}@{wanted}"
                for name, wanted in dependencies.items()
                if isinstance(meta.get(name), dict) and meta[name].get("optional")
            }
    patched = {key.partition("@patch:")[0] for key in entries if "@patch:" in key}
    return {each for each in found if each.rpartition("@")[0] not in patched}


def _is_for_this_machine(entry: Entry) -> bool:
    """Return whether the conditions of a package, like `os=linux & (cpu=x64 | cpu=arm64)`, are true here."""
    here = npm_names()
    for part in str(entry.get("conditions") or "").split("&"):
        found = list(_CONDITION.finditer(part))
        if found and not any((here[each["key"]] == each["value"]) != bool(each["not"]) for each in found):
            return False
    return True


def _tarball(locator: str, registries: Registries, place: str) -> Wanted | Missing | None:
    """Return the URL of a package's tarball, or None if Yarn fetches none."""
    match = _LOCATOR.fullmatch(locator)
    if match is None:
        raise SourceError(f'{place}: expected a resolution like "name@npm:1.0.0", found "{locator}"')
    name, (reference, _, parameters) = match["name"], match["reference"].partition("::")
    if reference.startswith(_ON_THIS_MACHINE):
        return None
    if "#commit=" in reference or reference.startswith("git"):
        return from_git(name)
    if reference.startswith("npm:"):
        [url] = parse_qs(parameters).get("__archiveUrl") or [_npm_tarball(name, reference[4:], registries)]
    else:
        url = reference.partition("#")[0]
    return package_file(name, url, place, TARBALL_FIELDS)


def _npm_tarball(name: str, version: str, registries: Registries) -> str:
    base = name.rpartition("/")[2]
    return f"{registries.of(name)}/{name.replace('/', '%2f')}/-/{base}-{version}.tgz"
