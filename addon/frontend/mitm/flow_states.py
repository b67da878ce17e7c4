"""The states of the flows under way. The addons of the cache share them, since each is called at another time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary, WeakSet

from mitmproxy import connection, http

from addon.frontend.mitm.flow_requests import Destination
from addon.frontend.mitm.native_fetch import NativeFetch
from addon.frontend.mitm.presentation import Presentation
from addon.service import Service


@dataclass(slots=True)
class FlowState:
    """The state of one flow: the request, the work on it, and the response that was presented."""

    asked: Destination
    """The destination of the request as the client sent it."""
    fetch: NativeFetch | None = None
    """The work on its request, once that has begun."""
    presented: Presentation | None = None
    replacing: bool = False
    """The response that mitmproxy fetched could not be used; the reply takes its place."""


class FlowStates:
    """All flows in which the cache takes part, and the service that answers them."""

    def __init__(self, service: Callable[[], Awaitable[Service]], is_on: Callable[[], bool]) -> None:
        """Use the service that `service` returns once it is ready. The cache takes part in new flows if `is_on`."""
        self.service = service
        self.is_on = is_on
        self._states: WeakKeyDictionary[http.HTTPFlow, FlowState] = WeakKeyDictionary()
        self.unverified: WeakSet[connection.Connection] = WeakSet()
        """Connections that were opened while `ssl_insecure` was on. mitmproxy goes on to use them."""

    def begin(self, flow: http.HTTPFlow, asked: Destination) -> None:
        """Take part in a flow."""
        self._states[flow] = FlowState(asked)

    def __getitem__(self, flow: http.HTTPFlow) -> FlowState | None:
        """Return what is known of a flow; None if the cache takes no part in it."""
        return self._states.get(flow)
