"""Chooses the files of a Python project that fit this machine, for any version of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from packaging.tags import platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename


def for_this_machine[T](files: Iterable[T], name_of: Callable[[T], str]) -> list[T]:
    """Return the wheels that fit this machine; if none does, the source archives, to build from."""
    listed = list(files)
    wheels = [file for file in listed if _fits(name_of(file))]
    return wheels or [file for file in listed if not name_of(file).endswith(".whl")]


def _fits(name: str) -> bool:
    try:
        _, _, _, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return False
    return any(tag.platform in _platforms() for tag in tags)


@cache
def _platforms() -> frozenset[str]:
    return frozenset({"any", *platform_tags()})
