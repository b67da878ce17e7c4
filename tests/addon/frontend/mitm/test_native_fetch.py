"""The pipeline's work on a flow whose response mitmproxy fetches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mitmproxy.addons import proxyserver
from mitmproxy.test import taddons, tflow

from addon.frontend.mitm.embedded import Embedded
from addon.frontend.mitm.flow_requests import destination_of, request_of_flow
from addon.frontend.mitm.native_fetch import NativeFetch


@pytest.mark.usefixtures("default_settings")
def test_a_response_whose_head_came_too_early_is_not_awaited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Regression: mitmproxy streams long content of a request, and the origin may answer before its end."""
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path))

    async def whole() -> None:
        embedded = Embedded()
        with taddons.context(proxyserver.Proxyserver(), embedded):
            service, flow = await embedded.service(), tflow.tflow(resp=True)
            fetch = NativeFetch(flow, request_of_flow(flow, destination_of(flow)), service)
            await fetch.decided()

            await asyncio.wait_for(fetch.ended(b"content", None), 60)

            if closed := embedded.done():
                await closed

    asyncio.run(whole())
