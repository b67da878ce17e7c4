"""The metrics of the proxy, as Prometheus asks for them: `/metrics`."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError
from addon.runtime.metrics.exposition import MEDIA_TYPE, exposition
from addon.runtime.metrics.samples import Samples
from addon.serve.admin.access import METRICS_PATH
from addon.serve.admin.responses import problem


def metrics_route(commands: Mapping[str, Handler]) -> BaseRoute:
    """Return the route that asks for the metrics by the control command."""

    async def answer(_request: Request) -> Response:
        samples = Samples()
        try:
            samples.add_described(await commands["metrics"]({}))
        except ControlError as error:
            return problem(503, str(error))
        return Response(exposition(samples), headers={"Content-Type": MEDIA_TYPE})

    return Route(METRICS_PATH, answer)
