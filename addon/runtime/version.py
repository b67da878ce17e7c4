"""The versions of installed packages."""

from __future__ import annotations


def version_of(distribution: str) -> str:
    """Return the version of an installed package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed_version

    try:
        return installed_version(distribution)
    except PackageNotFoundError:  # run from a source directory
        return "not installed"
