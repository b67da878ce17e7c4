"""The copies that a project uses. They count as used whenever it is, so that projects are evicted one after another.

A build that asks for a part of its packages keeps all of them, as long as another project was used less recently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from hashlib import sha256
from itertools import batched
from pathlib import Path
from threading import Event
from typing import BinaryIO

from addon.runtime.locked_file import locked_file, rewrite

FOLDER = "projects"
"""The name of the folder in the store's directory, with a file for each project."""

MAX_COPIES = 200_000
"""Copies of one project that are listed."""

_TOUCHED_AT_ONCE = 500
"""Copies in one transaction: it takes some hundredths of a second, in which no process can store anything."""
_REST = 0.015
"""Seconds between two of them. Writers of other processes look for the lock in intervals of this order."""

_ID = re.compile(r"[0-9a-f-]{1,64}")


class ProjectCopies:
    """The ids of the copies that one project has used, in a file beside the store."""

    def __init__(self, directory: Path, project: str) -> None:
        """List the copies of `project`, a name or a path, in the store in `directory`."""
        self._file = directory / FOLDER / f"{sha256(project.encode()).hexdigest()[:16]}.json"
        self._project = project
        self._used: set[str] = set()
        self._gone: set[str] = set()
        self._ended = Event()

    def note(self, entry_id: str) -> None:
        """Add a copy that was used or stored. May be called on any thread."""
        self._used.add(entry_id)

    def begin(self, touch: Callable[[Collection[str]], Collection[str]]) -> None:
        """Have all copies of the project count as used now, some at a time. That may take seconds; `end` ends it.

        `touch` does that, and returns the ids of those that are still stored. Raises what `touch` raises.
        """
        for ids in batched(self._listed(), _TOUCHED_AT_ONCE):
            stored = set(touch(ids))
            self._used |= stored
            self._gone.update(set(ids) - stored)
            if self._ended.wait(_REST):
                return

    def end(self) -> None:
        """Have `begin` return after what it is doing now; the other copies stay in the list."""
        self._ended.set()

    def save(self) -> None:
        """Write the list, together with what another process has added. Raises OSError."""
        if not self._used or not self._file.parent.parent.is_dir():
            return
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        with locked_file(self._file) as file:
            entries = sorted(self._used | (_ids_in(file) - self._gone))[:MAX_COPIES]
            rewrite(file, json.dumps({"project": self._project, "entries": entries}).encode())

    def _listed(self) -> set[str]:
        try:
            with self._file.open("rb") as file:
                return _ids_in(file)
        except OSError:  # the project is new
            return set()


def _ids_in(file: BinaryIO) -> set[str]:
    """Return the ids in a list, none if it is malformed."""
    try:
        match json.loads(file.read()):
            case {"entries": [*entries]}:
                return {each for each in entries[:MAX_COPIES] if isinstance(each, str) and _ID.fullmatch(each)}
    except (ValueError, RecursionError):
        pass
    return set()
