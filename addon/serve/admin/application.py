"""The application behind the admin listener: its routes, and what holds for every request and response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from email.utils import formatdate
from itertools import groupby

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError
from addon.serve.admin.access import Access
from addon.serve.admin.arguments import Arguments
from addon.serve.admin.exchange_stream import ExchangeStream
from addon.serve.admin.openapi import document
from addon.serve.admin.operations import OPERATIONS, USUAL_CONTENT, Operation
from addon.serve.admin.responses import FIELDS_OF_ALL, json_response, problem

logger = logging.getLogger(__name__)

CONTENT_TIMEOUT = 10.0
"""Seconds in which the content of a request must arrive; more, in proportion, where a larger one is allowed."""

STREAMED = "/exchanges"
"""The path of which clients may ask for events, too."""

COMMAND_TIMEOUT = 60.0
"""Seconds after which a command that has not ended is given up."""


def application(
    commands: Mapping[str, Handler], stream: ExchangeStream, access: Access, routes: Iterable[BaseRoute] = ()
) -> ASGIApp:
    """Return the application.

    Args:
        commands: The control commands.
        stream: Sends exchanges as they end.
        access: Admits requests.
        routes: More routes, beside those of the operations.
    """
    by_path = groupby(sorted(OPERATIONS, key=lambda each: each.path), key=lambda each: each.path)
    own = [_route(path, list(operations), commands, stream) for path, operations in by_path]
    described = json_response(document(OPERATIONS))

    async def describe(_request: Request) -> Response:
        return described

    own.append(Route("/openapi.json", describe))
    starlette = Starlette(routes=[*own, *routes], exception_handlers={HTTPException: _http_problem, Exception: _fault})
    return _Guarded(starlette, access)


class _Guarded:
    """Refuses requests that are not admitted, and adds the fields that every response has."""

    def __init__(self, inner: ASGIApp, access: Access) -> None:
        self._inner = inner
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                fields["Date"] = formatdate(usegmt=True)
                for name, value in FIELDS_OF_ALL:
                    fields.setdefault(name, value)
            await send(message)

        refusal = self._access.refusal(scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._inner(scope, receive, send_with_fields)
            return
        status, reason = refusal
        challenge = {"WWW-Authenticate": 'Bearer realm="admin"'} if status == 401 else {}
        await problem(status, reason, challenge)(scope, receive, send_with_fields)


def _route(
    path: str, operations: Sequence[Operation], commands: Mapping[str, Handler], stream: ExchangeStream
) -> Route:
    by_method: dict[str, Operation] = {operation.method: operation for operation in operations}

    async def answer(request: Request) -> Response:
        if path == STREAMED and "text/event-stream" in request.headers.get("accept", ""):
            return await stream.response(head_only=request.method == "HEAD")
        return await _carry_out(by_method["GET" if request.method == "HEAD" else request.method], commands, request)

    return Route(path, answer, methods=list(by_method))


async def _carry_out(operation: Operation, commands: Mapping[str, Handler], request: Request) -> Response:
    try:
        arguments = await _arguments(operation, request)
    except ValidationError as error:
        return problem(422, "; ".join(map(_fault_text, error.errors())))
    by = {"by": _client(request)} if arguments.logs_client else {}
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            return json_response(await operation.run(commands, {**arguments.of_command(), **by}))
    except ControlError as error:
        return problem(503, str(error), {"Retry-After": "1"})
    except TimeoutError:
        return problem(504, f"The command did not end within {COMMAND_TIMEOUT:g} seconds.")
    except ValueError as error:  # the arguments are well-formed, but the command cannot be carried out as things are
        return problem(409, str(error))


def _client(request: Request) -> str:
    """Return who has sent a request, for the log of purges."""
    return f"admin API, {request.client.host}" if request.client else "admin API"


async def _arguments(operation: Operation, request: Request) -> Arguments:
    """Return the arguments of a request. Raises ValidationError, or HTTPException if they cannot be read."""
    if operation.method == "GET":
        query, lists = request.query_params, operation.arguments.lists
        values = {name: query.getlist(name) for name in query}
        given = {name: each if name in lists or len(each) > 1 else each[0] for name, each in values.items()}
        return operation.arguments.model_validate(given, strict=False)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "The content of the request must be JSON, with Content-Type: application/json.")
    return operation.arguments.model_validate_json(await _content(request, operation.max_content))


async def _content(request: Request, limit: int) -> bytes:
    """Return the content of a request. Raises HTTPException if it is too large, or does not arrive in time."""
    content = bytearray()
    seconds = CONTENT_TIMEOUT * max(1.0, limit / USUAL_CONTENT)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limit:
                    raise HTTPException(413, f"The content of a request may have {limit} bytes.")
    except TimeoutError:
        raise HTTPException(408, f"The content did not arrive within {seconds:g} seconds.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The content is not complete.") from None
    return bytes(content)


def _fault_text(error: Mapping[str, object]) -> str:
    """Return a fault in the arguments as text that names the place."""
    location = error["loc"]
    place = ".".join(map(str, location)) if isinstance(location, tuple) else ""
    message = str(error["msg"]).removeprefix("Value error, ")  # as pydantic calls ours
    return f"{place}: {message}" if place else message


async def _http_problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, error.detail, error.headers or {})


async def _fault(_request: Request, error: Exception) -> Response:
    return problem(500, f"The proxy has failed to answer: {type(error).__name__}.")
