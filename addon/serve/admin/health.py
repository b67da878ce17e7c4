"""The health of the proxy, for probes: `/healthz` and `/readyz`. They need no token, and tell nothing but yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError
from addon.serve.admin.responses import json_response


class Health:
    """Says whether the proxy lives, and whether it takes requests of clients."""

    def __init__(
        self, commands: Mapping[str, Handler], takes_clients: Callable[[], bool], *, needs_origin: bool
    ) -> None:
        """Ask by the control commands.

        Args:
            commands: The control commands.
            takes_clients: Returns whether clients are served, and will be.
            needs_origin: The proxy is not ready while no origin of one of its sites is well.
        """
        self._commands = commands
        self._takes_clients = takes_clients
        self._needs_origin = needs_origin

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/healthz", self._live), Route("/readyz", self._ready)]

    async def _live(self, _request: Request) -> Response:
        return json_response({"status": "ok"})

    async def _ready(self, _request: Request) -> Response:
        ready = self._takes_clients() and (not self._needs_origin or await self._has_origins())
        return json_response({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    async def _has_origins(self) -> bool:
        """Return whether each site has an origin that is well."""
        try:
            sites = (await self._commands["sites"]({}))["sites"]
        except (ControlError, ValueError):
            return False
        return isinstance(sites, list) and all(
            any(origin["state"] != "down" for origin in site["origins"]) for site in sites
        )
