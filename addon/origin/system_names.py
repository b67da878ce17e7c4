"""Names that only the system's own resolver knows, because they come from neither /etc/hosts nor a name server."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from threading import Thread

MAX_THREADS = 4


class SystemNames:
    """Asks the system (`getaddrinfo`), which has further sources: multicast DNS for `printer.local`, for instance.

    It blocks a thread for as long as it likes. These threads are used for nothing else, so that a silent source delays
    no one but those who ask for such names. They are daemons: the process may end while they wait.
    """

    def __init__(self) -> None:
        self._free_threads = asyncio.Semaphore(MAX_THREADS)

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name; none if the system does not know it either."""
        await self._free_threads.acquire()
        loop = asyncio.get_running_loop()
        result: asyncio.Future[tuple[str, ...]] = loop.create_future()
        Thread(target=self._run, args=(name, loop, result), name="system-names", daemon=True).start()
        return await result

    def _run(self, name: str, loop: asyncio.AbstractEventLoop, result: asyncio.Future[tuple[str, ...]]) -> None:
        found = _ask(name)
        with suppress(RuntimeError):  # the loop is closed: no one waits any more
            loop.call_soon_threadsafe(self._finish, result, found)

    def _finish(self, result: asyncio.Future[tuple[str, ...]], found: tuple[str, ...]) -> None:
        self._free_threads.release()
        if not result.done():
            result.set_result(found)


def _ask(name: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
