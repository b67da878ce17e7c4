"""Names and passwords of basic authentication (RFC 7617), compared with bcrypt hashes.

bcrypt takes long on purpose. So passwords are compared in a thread, one at a time, and what came out is remembered.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b

import bcrypt

from addon.config.user_files import read_users

MAX_KNOWN = 4096
"""Credentials whose outcome is remembered; the least recently used is forgotten first."""

MAX_WAITING = 64
"""Credentials that may wait to be compared; more are refused."""

_LONGEST = 72
"""Bytes of a password that bcrypt looks at."""

_BASIC = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)


class Passwords:
    """The users of some files."""

    def __init__(self, files: Iterable[str]) -> None:
        """Read the files. Raises ValueError if one of them is malformed."""
        self._users = {file: read_users(file) for file in files}
        self._known: OrderedDict[bytes, bool] = OrderedDict()
        self._key = secrets.token_bytes(32)
        self._waiting = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    def are_right(self, file: str, authorization: str | None) -> bool | None:
        """Return whether the value of Authorization has a user's name and password, or None if not known yet."""
        if authorization is None or not _BASIC.fullmatch(authorization):
            return False
        name = self._name(file, authorization)
        if name in self._known:
            self._known.move_to_end(name)
        return self._known.get(name)

    async def check(self, file: str, authorization: str) -> None:
        """Find out whether a value of Authorization is right. Too many at a time are not looked at."""
        if self._waiting >= MAX_WAITING:
            return
        self._waiting += 1
        try:
            is_right = await asyncio.get_running_loop().run_in_executor(
                self._thread, partial(_is_right, self._users[file], authorization)
            )
        finally:
            self._waiting -= 1
        self._known[self._name(file, authorization)] = is_right
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def _name(self, file: str, authorization: str) -> bytes:
        # a keyed hash: memory holds no password, and a comparison tells nothing by the time that it takes
        return blake2b(f"{file}\0{authorization}".encode("latin-1", "replace"), key=self._key).digest()


def _is_right(users: dict[bytes, bytes], authorization: str) -> bool:
    match = _BASIC.fullmatch(authorization)
    try:
        decoded = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        return False
    name, colon, password = decoded.partition(b":")
    # for an unknown name another user's hash is compared, so that the time tells nothing
    hashed = users.get(name) or next(iter(users.values()))
    try:
        is_equal = bcrypt.checkpw(password[:_LONGEST], hashed)
    except ValueError:  # a byte that no password can have
        return False
    return is_equal and bool(colon) and name in users
