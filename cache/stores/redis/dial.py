"""Connects to a server and agrees on RESP3."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import lru_cache

from cache.stores.redis.address import EngineAddress, Place, TlsFiles
from cache.stores.redis.connection import Connection, EngineError

CONNECT_TIMEOUT = 1.0
"""Seconds for a connection with its greeting. Requests do not wait for it."""

CLIENT_NAME = "secondhand"
"""The name of the connections, for CLIENT LIST."""


class Dialer:
    """Connects to the servers of one engine, with its credentials."""

    def __init__(self, address: EngineAddress, tls: TlsFiles) -> None:
        """Use the files in `tls` if the address asks for TLS."""
        self._address = address
        self._tls = tls

    async def connect(
        self,
        place: Place,
        on_push: Callable[[list[object]], None] = lambda _push: None,
        on_lost: Callable[[], None] = lambda: None,
        *,
        is_sentinel: bool = False,
    ) -> tuple[Connection, dict[str, str]]:
        """Return a connection, and what the server says of itself, like its `mode` and its `role`.

        Raises:
            EngineError: there is no server, it speaks no RESP3, or it refuses the credentials.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connection = await self._opened(place, on_push, on_lost)
                try:
                    return connection, await self._greet(connection, is_sentinel=is_sentinel)
                except BaseException:
                    connection.abort()
                    raise
        except TimeoutError:
            raise EngineError(f"{place} does not answer") from None
        except (OSError, ssl.SSLError) as error:
            raise EngineError(f"{place} cannot be reached: {error.strerror or error}") from error
        except ValueError as error:  # a name of a host that cannot be one, like "a..b"
            raise EngineError(f"{place} cannot be reached: {error}") from error
        except EngineError as error:
            raise EngineError(f"{place}: {error}") from None

    async def _opened(
        self, place: Place, on_push: Callable[[list[object]], None], on_lost: Callable[[], None]
    ) -> Connection:
        loop = asyncio.get_running_loop()
        if not place.port:
            return (await loop.create_unix_connection(lambda: Connection(on_push, on_lost), place.host))[1]
        context = _tls_context(self._tls) if self._address.tls else None
        return (
            await loop.create_connection(lambda: Connection(on_push, on_lost), place.host, place.port, ssl=context)
        )[1]

    async def _greet(self, connection: Connection, *, is_sentinel: bool) -> dict[str, str]:
        address = self._address
        credentials: tuple[str, ...] = ()
        if address.password and not is_sentinel:  # Sentinels have credentials of their own, mostly none
            credentials = ("AUTH", address.user or "default", address.password)
        told = await connection.ask("HELLO", 3, *credentials, "SETNAME", CLIENT_NAME)
        if address.database and not is_sentinel:
            await connection.ask("SELECT", address.database)
        if not isinstance(told, dict):
            raise EngineError("it speaks no RESP3, which Redis has since version 6")
        return {
            name.decode(): value.decode("utf-8", "replace")
            for name, value in told.items()
            if isinstance(name, bytes) and isinstance(value, bytes)
        }


@lru_cache(maxsize=8)
def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.authorities or None)
    if files.certificate:
        context.load_cert_chain(files.certificate)
    return context
