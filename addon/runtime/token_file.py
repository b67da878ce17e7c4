"""A file with a token: who knows it may use the admin API, or purge over HTTP."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

MIN_TOKEN = 16
"""Characters of the shortest token that is accepted."""

MAX_TOKEN = 4096
"""Bytes that are read of the file."""


class TokenFile:
    """The file. It is read at each use, so that a new token is in force as soon as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the file with a new token, for this user only, if it does not exist or is empty. Raises OSError."""
        is_empty = self._is_empty()
        if os.path.lexists(self.path) and not is_empty:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # it gets its name when it is complete: a full disk would leave an empty file
        temporary = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "w") as file:
                file.write(f"{secrets.token_hex(32)}\n")
            if is_empty:
                temporary.replace(self.path)
            else:
                _give_name(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == 0

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token. Without a file that can be read, no text is.

        A file that was removed, perhaps with the directory of the store, or is empty, is made again.
        """
        wanted = self.read()
        if wanted is None:
            with suppress(OSError):
                self.make()
        return wanted is not None and hmac.compare_digest(text.encode(), wanted.encode())

    def read(self) -> str | None:
        """Return the token, or None without a file that can be read and has one."""
        try:
            # a FIFO must not stop the proxy
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                token = (file.read(MAX_TOKEN) or b"").decode("ascii").strip()  # None: a pipe that has nothing yet
        except (OSError, ValueError):
            return None
        return token if len(token) >= MIN_TOKEN else None


def bearer_token(authorization: str) -> str:
    """Return the token in the value of the field Authorization (RFC 6750 §2.1); empty if it has none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _give_name(temporary: Path, path: Path) -> None:
    """Let a file have a name, unless another file has it already. Raises OSError."""
    try:
        os.link(temporary, path)
    except FileExistsError:  # another process was faster
        return
    except OSError:  # a file system without hard links
        temporary.replace(path)
