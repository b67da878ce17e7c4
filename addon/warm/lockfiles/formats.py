"""All formats of lock files, and the reader of each: it is imported when a file is read, as most are slow to import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module

from addon.offline.wanted import Found, SourceError
from addon.warm.lockfiles.lock_file import LockFile


@dataclass(frozen=True, slots=True)
class Format:
    """A format of lock files."""

    name: str
    """The name of its files, or a pattern with `*`."""
    reader: str
    """The module in this folder whose `found_in` returns the URLs that a file names, or raises SourceError."""


FORMATS = (
    Format("*requirements*.txt", "requirements"),
    Format("*requirements*.in", "requirements"),
    Format("uv.lock", "uv_lock"),
    Format("poetry.lock", "poetry_lock"),
    Format("pdm.lock", "pdm_lock"),
    Format("pylock.toml", "pylock"),
    Format("pylock.*.toml", "pylock"),
    Format("package-lock.json", "package_lock"),
    Format("npm-shrinkwrap.json", "package_lock"),
    Format("yarn.lock", "yarn_lock"),
    Format("pnpm-lock.yaml", "pnpm_lock"),
    Format("bun.lock", "bun_lock"),
    Format("bun.lockb", "bun_lockb"),
    Format("Cargo.lock", "cargo_lock"),
    Format("go.sum", "go_sum"),
    Format("Gemfile.lock", "gemfile_lock"),
    Format("gems.locked", "gemfile_lock"),
    Format("composer.lock", "composer_lock"),
    Format("*.lockfile", "gradle_lockfile"),
    Format("verification-metadata.xml", "gradle_verification"),
    Format("lockfile.json", "maven_lockfile"),
    Format("checksums*.sha*", "maven_checksums"),
)


def format_of(name: str) -> Format | None:
    """Return the format of a file with this name, or None."""
    return next((each for each in FORMATS if fnmatchcase(name, each.name)), None)


async def found_in(lock: LockFile) -> Found:
    """Return the URLs that a lock file names. Raises SourceError."""
    format_ = format_of(lock.path.name)
    if format_ is None:
        raise SourceError(f"{lock.path}: expected a file named {names()}")
    try:
        return await _reader(format_)(lock)
    except RecursionError:
        raise SourceError(f"{lock.path}: nested too deeply") from None


def _reader(format_: Format) -> Callable[[LockFile], Awaitable[Found]]:
    module = import_module(f"{__package__}.{format_.reader}")
    reader: Callable[[LockFile], Awaitable[Found]] = module.found_in
    return reader


def names() -> str:
    """Return the names of all lock files that can be read, for messages."""
    *first, last = dict.fromkeys(each.name for each in FORMATS)
    return f"{', '.join(first)} or {last}"
