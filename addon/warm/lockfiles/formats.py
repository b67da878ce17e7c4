"""All formats of lock files, and the reader of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from addon.offline.wanted import Found, SourceError
from addon.warm.lockfiles import (
    bun_lock,
    cargo_lock,
    composer_lock,
    gemfile_lock,
    go_sum,
    gradle_lockfile,
    gradle_verification,
    maven_checksums,
    maven_lockfile,
    package_lock,
    pdm_lock,
    pnpm_lock,
    poetry_lock,
    pylock,
    requirements,
    uv_lock,
    yarn_lock,
)
from addon.warm.lockfiles.lock_file import LockFile


@dataclass(frozen=True, slots=True)
class Format:
    """A format of lock files."""

    name: str
    """The name of its files, or a pattern with `*`."""
    found_in: Callable[[LockFile], Awaitable[Found]]
    """Returns the URLs that a file names. Raises SourceError."""


FORMATS = (
    Format("*requirements*.txt", requirements.found_in),
    Format("*requirements*.in", requirements.found_in),
    Format("uv.lock", uv_lock.found_in),
    Format("poetry.lock", poetry_lock.found_in),
    Format("pdm.lock", pdm_lock.found_in),
    Format("pylock.toml", pylock.found_in),
    Format("pylock.*.toml", pylock.found_in),
    Format("package-lock.json", package_lock.found_in),
    Format("npm-shrinkwrap.json", package_lock.found_in),
    Format("yarn.lock", yarn_lock.found_in),
    Format("pnpm-lock.yaml", pnpm_lock.found_in),
    Format("bun.lock", bun_lock.found_in),
    Format("bun.lockb", bun_lock.binary),
    Format("Cargo.lock", cargo_lock.found_in),
    Format("go.sum", go_sum.found_in),
    Format("Gemfile.lock", gemfile_lock.found_in),
    Format("gems.locked", gemfile_lock.found_in),
    Format("composer.lock", composer_lock.found_in),
    Format("*.lockfile", gradle_lockfile.found_in),
    Format("verification-metadata.xml", gradle_verification.found_in),
    Format("lockfile.json", maven_lockfile.found_in),
    Format("checksums*.sha*", maven_checksums.found_in),
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
        return await format_.found_in(lock)
    except RecursionError:
        raise SourceError(f"{lock.path}: nested too deeply") from None


def names() -> str:
    """Return the names of all lock files that can be read, for messages."""
    *first, last = dict.fromkeys(each.name for each in FORMATS)
    return f"{', '.join(first)} or {last}"
