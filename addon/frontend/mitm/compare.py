"""Two of the cache's addons: each looks whether others have changed a response. The last one also lets them stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mitmproxy import http

from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.presentation import mark_changes

Stream = Callable[[bytes], Iterable[bytes] | bytes] | bool
"""The way in which mitmproxy streams content: not at all, as it comes, or through a function."""


class Compare:
    """Marks changed responses before the addons that save or show them see them."""

    name = "secondhand-compare"

    def __init__(self, states: FlowStates) -> None:
        self._states = states

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Compare the head of a response that is streamed: it is sent now."""
        if flow.response and flow.response.stream:
            await self.response(flow)

    async def response(self, flow: http.HTTPFlow) -> None:
        """Compare a response with what the cache presented."""
        state = self._states[flow]
        if state is not None and state.presented is not None and flow.response is not None:
            mark_changes(flow.response, state.presented, (await self._states.service()).policy)
