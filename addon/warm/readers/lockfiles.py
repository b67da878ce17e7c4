"""Lock files of all kinds; the name of a file tells which kind it is."""

from __future__ import annotations

from pathlib import Path

from addon.offline.wanted import Found, Read, SourceError
from addon.warm.readers import cargo_lock, go_sum, package_lock, requirements, uv_lock


async def found_in(file: Path, read: Read, index: str | None = None) -> Found:
    """Return the URLs that a lock file names; `index` is the one for Cargo.lock. Raises SourceError."""
    match file.name:
        case "uv.lock":
            return uv_lock.found_in(file)
        case "package-lock.json" | "npm-shrinkwrap.json":
            return await package_lock.found_in(file)
        case "Cargo.lock":
            return await cargo_lock.found_in(file, read, index)
        case "go.sum":
            return await go_sum.found_in(file)
        case name if name.endswith((".txt", ".in")) and "requirements" in name:
            return await requirements.found_in(file, read)
    expected = "requirements.txt, uv.lock, package-lock.json, npm-shrinkwrap.json, Cargo.lock or go.sum"
    raise SourceError(f"{file}: expected a file named {expected}")
