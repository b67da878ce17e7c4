"""A Starlette site for uvicorn: streams, background tasks, event streams, a WebSocket, uploads and large downloads."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

UNBUFFERED = {"X-Accel-Buffering": "no"}
"""An nginx in front passes on each part of the response as soon as it comes."""

steps = asyncio.Queue[str]()
"""The steps that `/step` has posted; streams wait for them."""

finished: list[str] = []
"""The background tasks that have ended."""


async def step(request: Request) -> PlainTextResponse:
    """Let a stream go on, with the posted text."""
    await steps.put((await request.body()).decode())
    return PlainTextResponse("")


async def stream(request: Request) -> StreamingResponse:
    """Stream what is posted to `/step`, until an empty text is posted."""

    async def lines() -> AsyncIterator[str]:
        yield "begin\n"
        while line := await steps.get():
            yield f"{line}\n"

    return StreamingResponse(lines(), media_type="text/plain", headers={"Cache-Control": "no-store", **UNBUFFERED})


async def events(request: Request) -> StreamingResponse:
    """Send an event for each text that is posted to `/step`, until an empty text is posted."""

    async def sent() -> AsyncIterator[str]:
        yield f"data: after {request.headers.get('Last-Event-ID', 'nothing')}\n\n"
        while line := await steps.get():
            yield f"data: {line}\n\n"

    return StreamingResponse(sent(), media_type="text/event-stream", headers=UNBUFFERED)


async def order(request: Request) -> JSONResponse:
    """Accept an order, and do it after the response."""

    async def finish(name: str) -> None:
        finished.append(name)

    name = (await request.body()).decode()
    return JSONResponse({"accepted": name}, 202, background=BackgroundTask(finish, name))


async def done(request: Request) -> JSONResponse:
    return JSONResponse(finished, headers={"Cache-Control": "no-cache"})


async def upload(request: Request) -> JSONResponse:
    """Return the size and the SHA-256 of an upload."""
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return JSONResponse({"size": size, "sha256": digest.hexdigest()}, 201)


async def large(request: Request) -> FileResponse:
    """Return a large file, or the ranges of it that are asked for, with the Cache-Control that the query has."""
    return FileResponse(os.environ["LARGE_FILE"], headers={"Cache-Control": request.query_params["cache"]})


async def socket(websocket: WebSocket) -> None:
    """Send back each message, behind the scheme and host that the application was asked by."""
    await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
    try:
        while (text := await websocket.receive_text()) != "enough":
            await websocket.send_text(f"{websocket.url.scheme}://{websocket.url.hostname} {text}")
        await websocket.close(4000, "as you wish")
    except WebSocketDisconnect:
        pass


app = Starlette(
    routes=[
        Route("/step", step, methods=["POST"]),
        Route("/stream", stream),
        Route("/events", events),
        Route("/order", order, methods=["POST"]),
        Route("/done", done),
        Route("/upload", upload, methods=["POST", "PUT"]),
        Route("/large", large),
        WebSocketRoute("/socket", socket),
    ]
)
