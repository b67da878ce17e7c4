"""The system's own resolver."""

from __future__ import annotations

import asyncio
import socket
from threading import Event

import pytest

from addon.origin.system_names import MAX_THREADS, SystemNames


def test_the_system_knows_its_names_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", only_printer)
    names = SystemNames()
    assert asyncio.run(names.addresses("printer.local")) == ("10.0.0.9", "fe80::9%3")
    assert asyncio.run(names.addresses("nosuch.test")) == ()


def only_printer(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
    if name != "printer.local":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [(0, 0, 0, "", ("10.0.0.9", 0)), (0, 0, 0, "", ("10.0.0.9", 0)), (0, 0, 0, "", ("fe80::9%3", 0, 0, 3))]


def test_a_silent_source_holds_up_a_few_threads_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = list[str](), Event()

    def silent(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(name)
        answer.wait()
        return [(0, 0, 0, "", ("10.0.0.9", 0))]

    async def conversation() -> list[tuple[str, ...]]:
        names = SystemNames()
        waiting = [asyncio.create_task(names.addresses(f"{number}.local")) for number in range(MAX_THREADS + 2)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # its thread goes on, and ends with the others
        await asyncio.sleep(0)
        assert len(asked) == MAX_THREADS
        answer.set()
        return await asyncio.gather(*waiting[1:])

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    assert asyncio.run(conversation()) == [("10.0.0.9",)] * (MAX_THREADS + 1)
    assert len(asked) == MAX_THREADS + 2
