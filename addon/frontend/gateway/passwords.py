"""Names and passwords of basic authentication (RFC 7617), compared with bcrypt hashes.

bcrypt takes long on purpose. So passwords are compared in a thread, one at a time, and what came out is remembered.
Requests that come with the same credentials meanwhile wait for the same comparison.
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
"""Different credentials that may wait to be compared; further ones are not looked at."""

RETRY_AFTER = 5
"""Seconds after which the client of such a request is told to try again."""

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
        self._comparing: dict[bytes, asyncio.Task[None]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    def are_right(self, file: str, authorization: str | None) -> bool | None:
        """Return whether the value of Authorization has a user's name and password, or None if not known yet."""
        if authorization is None or not _BASIC.fullmatch(authorization):
            return False
        name = self._name(file, authorization)
        if name in self._known:
            self._known.move_to_end(name)
        return self._known.get(name)

    async def check(self, file: str, authorization: str) -> bool:
        """Find out whether a value of Authorization is right; return False if too many others wait for that."""
        if file not in self._users:  # the rules have changed since the request was read
            return True
        name = self._name(file, authorization)
        comparing = self._comparing.get(name)
        if comparing is None:
            if len(self._comparing) >= MAX_WAITING:
                return False
            comparing = asyncio.get_running_loop().create_task(self._compare(name, file, authorization))
            self._comparing[name] = comparing
        await asyncio.shield(comparing)  # others may wait for it as well
        return True

    async def _compare(self, name: bytes, file: str, authorization: str) -> None:
        try:
            self._known[name] = await asyncio.get_running_loop().run_in_executor(
                self._thread, partial(_is_right, self._users[file], authorization)
            )
        finally:
            del self._comparing[name]
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
