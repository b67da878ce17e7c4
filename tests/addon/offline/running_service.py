"""Runs a scenario with a service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from addon.config.settings import Settings
from addon.service import Service
from tests.fixtures.until import LONGEST


def with_service(
    settings: Settings, scenario: Callable[[Service], Awaitable[None]], clock: Callable[[], float] | None = None
) -> None:
    """Run a scenario with a service on a new event loop, and close the service."""

    async def run() -> None:
        service = Service(settings, clock)
        try:
            async with asyncio.timeout(LONGEST):
                await scenario(service)
        finally:
            await service.close()

    asyncio.run(run())
