"""A response that mitmproxy received over unverified TLS is relayed, and not stored (ledger SEC-08)."""

from __future__ import annotations

import asyncio

import pytest
from mitmproxy import ctx

from tests.lanes.conversation_runner import run_conversation
from tests.lanes.script import Conversation, Step, answer, ask, conversation, counts, origin
from tests.lanes.served_lane import ServedPool
from tests.lanes.server_lane import ServerLane
from tests.rfc.common_steps import FRESH_60

STORABLE = ("Cache-Control: max-age=60", "Content-Location: /a")


def _post(*steps: Step) -> Conversation:
    """Return a conversation that begins with a POST, since mitmproxy carries requests with content."""
    return conversation("a response to POST, for later GETs", "SEC-08", ask("POST /a", body="x"), *steps)


VERIFIED = _post(
    origin("200 OK", *STORABLE, body="hello"),
    answer("200", body="hello"),
    ask("GET /a"),
    answer("203", body="hello"),
)
UNVERIFIED = _post(
    origin("200 OK", *STORABLE, body="hello"),
    answer("200", body="hello"),
    counts("not_stored.unverified"),
    ask("GET /a"),
    origin("200 OK", FRESH_60, body="fetched and verified"),
    answer("200", body="fetched and verified"),
)


@pytest.mark.row("SEC-08")
@pytest.mark.parametrize(("insecure", "expected"), [(False, VERIFIED), (True, UNVERIFIED)])
def test_only_responses_over_verified_tls_are_stored(insecure: bool, expected: Conversation) -> None:
    async def main() -> None:
        services = ServedPool()
        try:
            await services.proxy(await services.service(expected), front_end=False)
            ctx.options.update(ssl_insecure=insecure)
            await run_conversation(expected, ServerLane(services, "https"))
        finally:
            await services.close()

    asyncio.run(main())
