"""What mitmproxy carries over TLS that nobody verified is relayed, and not stored (ledger SEC-08)."""

from __future__ import annotations

import asyncio

import pytest
from mitmproxy import ctx

from tests.lanes.hooks_lane import HooksLane
from tests.lanes.house import Street
from tests.lanes.play import play
from tests.lanes.script import Conversation, answer, ask, conversation, counts, origin
from tests.rfc.common_steps import FRESH_60

CARRIED = ("Cache-Control: max-age=60", "Content-Location: /a")


def _posted(*then: object) -> Conversation:
    return conversation("an answer to POST, for later GETs", "SEC-08", ask("POST /a", body="x"), *then)  # type: ignore[arg-type]


VERIFIED = _posted(
    origin("200 OK", *CARRIED, body="hello"),
    answer("200", body="hello"),
    ask("GET /a"),
    answer("203", body="hello"),
)
UNVERIFIED = _posted(
    origin("200 OK", *CARRIED, body="hello"),
    answer("200", body="hello"),
    counts("not_stored.unverified"),
    ask("GET /a"),
    origin("200 OK", FRESH_60, body="fetched and verified"),
    answer("200", body="fetched and verified"),
)


@pytest.mark.row("SEC-08")
@pytest.mark.parametrize(("insecure", "told"), [(False, VERIFIED), (True, UNVERIFIED)])
def test_only_what_was_verified_is_stored(insecure: bool, told: Conversation) -> None:
    async def performance() -> None:
        street = Street()
        try:
            await street.proxy(await street.house(told), door=False)
            ctx.options.update(ssl_insecure=insecure)
            await play(told, HooksLane(street, "https"))
        finally:
            await street.close()

    asyncio.run(performance())
