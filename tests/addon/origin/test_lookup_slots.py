"""The slots for lookups: who has how much time while others wait."""

from __future__ import annotations

import asyncio

from addon.origin.lookup_slots import LookupSlots


async def look_up(slots: LookupSlots, seconds: float) -> str:
    await slots.acquire()
    try:
        async with slots.held(0.01):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "limited"
    return "whole"


def outcomes(*seconds: float) -> list[str]:
    async def main() -> list[str]:
        slots = LookupSlots(2)
        return await asyncio.gather(*(look_up(slots, each) for each in seconds))

    return asyncio.run(main())


def test_without_others_a_lookup_has_all_its_time() -> None:
    assert outcomes(0.05, 0.05) == ["whole", "whole"]


def test_only_as_many_are_limited_as_others_wait_the_first_ones_first() -> None:
    assert outcomes(60, 0.05, 0) == ["limited", "whole", "whole"]


def test_those_who_have_waited_are_limited_too_while_more_wait() -> None:
    assert outcomes(*[60] * 6, 0, 0) == ["limited"] * 6 + ["whole"] * 2
