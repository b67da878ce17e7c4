"""Runs a conversation in a lane, and checks each of its steps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from math import ceil

import pytest

from addon.runtime.clock import BELIEVED_AFTER
from cache.http.fields import imf_date
from cache.http.messages import Fields
from cache.stores.codec import encode
from tests.lanes import script
from tests.lanes.comparison import ComparableResponse, comparable
from tests.lanes.invariants import broken_invariants
from tests.lanes.lane import Lane, ProxyUnderTest
from tests.lanes.messages import (
    ClientRequest,
    ClientResponse,
    OriginRequest,
    absent_names,
    fields_of,
    origin_response,
)

TIMEOUT = 60.0
"""Seconds. A step that takes longer fails the test."""

LOOK = 0.25
"""Seconds between two looks whether the origin receives a request while a response is waited for."""

_TIME = re.compile(r"\{(now|start)([+-][0-9]+)?\}")
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")


async def run_conversation(conversation: script.Conversation, lane: Lane) -> list[ComparableResponse]:
    """Run all steps of a conversation. Return the responses of its clients, in a form in which lanes are compared."""
    async with lane.open(conversation) as proxy:
        runner = _ConversationRunner(proxy)
        for number, step in enumerate(conversation.steps, 1):
            try:
                await runner.run(step)
            except (AssertionError, pytest.fail.Exception, TimeoutError) as error:
                error.add_note(f"in step {number}: {str(step)[:500]}")
                raise
        runner.check_end()
        return runner.responses


class _ConversationRunner:
    """Runs the steps of one conversation.

    Attributes:
        responses: Every response that a client has received.
    """

    def __init__(self, proxy: ProxyUnderTest) -> None:
        self.responses: list[ComparableResponse] = []
        self._proxy = proxy
        self._start = proxy.clock.now()
        self._waiting: dict[str, ClientRequest] = {}
        self._secrets: set[str] = set()
        self._last: script.Step | None = None

    async def run(self, step: script.Step) -> None:
        await self._run(step)
        self._last = step

    async def _run(self, step: script.Step) -> None:
        proxy = self._proxy
        match step:
            case script.Ask():
                await self._ask(step)
            case script.Answer():
                await self._answer(step)
            case script.Origin():
                if isinstance(self._last, script.Ask) and len(self._waiting) > 1:
                    await self._settle()
                self._check_origin_request(await self._next_origin_request(), step.saw)
                fields, body = tuple(map(self._filled, step.fields)), self._filled(step.body).encode("latin-1")
                await proxy.respond(origin_response(step.status, fields, body, step.then, proxy.clock.now()))
            case script.OriginBytes():
                await self._next_origin_request()
                await proxy.respond_with_bytes(step.data, step.then)
            case script.OriginFails():
                await self._next_origin_request()
                await proxy.fail(step.how)
            case script.OriginContinues():
                await proxy.continue_response(self._filled(step.body).encode("latin-1"), step.then)
            case script.OriginGone():
                await proxy.stop_origin()
            case script.OriginBack():
                await proxy.restart_origin()
            case script.Later():
                if self._waiting:  # the request must have reached the origin before time passes
                    await self._wait_for_origin_request()
                self._check_no_origin_request_between_exchanges()
                proxy.clock.advance(step.seconds)
            case script.ClockSet():
                proxy.clock.set(step.seconds)
                proxy.follow_clock()
                proxy.clock.advance(BELIEVED_AFTER)
                proxy.follow_clock()
            case script.Disconnect():
                await _soon(proxy.disconnect(step.client), "no response begins")
                del self._waiting[step.client]
            case script.AllRequestsWait():
                await self._settle()
            case script.Purge():
                await proxy.purge(step.path, soft=step.soft)
            case script.Offline():
                proxy.go_offline()
            case script.NoClock():
                proxy.invalidate_clock()
            case script.Counts():
                await _soon(proxy.wait_for_count(step.counter, step.by), f"{step.counter} has not risen by {step.by}")

    def check_end(self) -> None:
        """Check that no request waits, and that the store contains no credentials."""
        self._check_no_origin_request()
        assert not self._waiting, "a client has received no response"
        rows = b"".join(map(encode, self._proxy.stored()))
        for secret in self._secrets:
            assert secret.encode("latin-1") not in rows, f"{secret} is in the store"

    # ---- clients

    async def _ask(self, step: script.Ask) -> None:
        assert step.client not in self._waiting, "the client still waits for a response"
        if isinstance(self._last, script.Ask):  # requests arrive at the origin in the order of the steps
            await self._wait_for_origin_request()
        self._check_no_origin_request_between_exchanges()
        method, target = step.line.split(" ")
        fields = fields_of(tuple(map(self._filled, step.fields)))
        self._secrets.update(value for name, value in fields if name.lower() in _CREDENTIALS)
        request = ClientRequest(method, self._filled(target), fields, step.body.encode("latin-1"))
        self._waiting[step.client] = request
        await self._proxy.send_request(step.client, request)

    async def _answer(self, step: script.Answer) -> None:
        request = self._waiting.pop(step.client)
        response = await self._receive_response(step.client)
        origin = f"{self._proxy.scheme}://{self._proxy.authority}"
        self.responses.append(comparable(response, origin, self._start))
        problems = broken_invariants(request, response)
        code, _, reason = step.status.partition(" ")
        if str(response.status) != code or (reason and response.reason not in (reason, None)):
            problems.append(f"expected {step.status}")
        problems += self._differences(response.fields, step.fields)
        body, expected = response.body.decode("latin-1"), self._filled(step.body or "")
        # bytes that were on their way when the connection ended may be lost
        if step.body is not None and not (expected.startswith(body) if step.cut else _fits(body, expected)):
            problems.append(f"expected the body {expected[:100]!r}")
        if response.cut != step.cut:
            problems.append(f"expected {'an early' if step.cut else 'no early'} end of the connection")
        if response.interim is not None and response.interim != step.interim:
            problems.append(f"expected the interim responses {step.interim}, received {response.interim}")
        if response.trailers is not None and _lower(response.trailers) != _lower(fields_of(step.trailers)):
            problems.append(f"expected the trailers {step.trailers}, received {response.trailers.lines}")
        assert not problems, "\n".join([*problems, "received:", *_printed(response)])

    async def _receive_response(self, client: str) -> ClientResponse:
        """Wait for a response, but not for long if the origin receives an unexpected request."""
        receiving = asyncio.ensure_future(self._proxy.receive_response(client))
        try:
            for _ in range(ceil(TIMEOUT / LOOK)):
                done, _ = await asyncio.wait({receiving}, timeout=LOOK)
                if done:
                    return receiving.result()
                self._check_no_origin_request()
        finally:
            receiving.cancel()
        pytest.fail("no response")

    async def _settle(self) -> None:
        await _soon(self._proxy.settle(), "the requests do not look into the store")

    # ---- the origin

    async def _next_origin_request(self) -> OriginRequest:
        return await _soon(self._proxy.next_origin_request(), "the origin receives no request")

    async def _wait_for_origin_request(self) -> None:
        async def poll() -> None:
            while not self._proxy.origin_has_request:
                await asyncio.sleep(0.001)

        await _soon(poll(), "the origin receives no request")

    def _check_no_origin_request_between_exchanges(self) -> None:
        if not self._waiting:
            self._check_no_origin_request()

    def _check_no_origin_request(self) -> None:
        assert not self._proxy.origin_has_request, "the origin receives a request for which there is no step"

    def _check_origin_request(self, request: OriginRequest, lines: tuple[str, ...]) -> None:
        filled = tuple(map(self._filled, lines))
        request_line = f"{request.method} {request.target}"
        expected_lines = [line for line in filled if _is_request_line(line)]
        problems = [f"expected {line}" for line in expected_lines if line != request_line]
        problems += self._differences(request.fields, tuple(line for line in filled if line not in expected_lines))
        sent = [each for each in self._waiting.values() if f"{each.method} {each.target}" == request_line]
        if sent and request.body not in [each.body for each in sent]:
            problems.append("expected the content that the client sent")
        printed = [f"  {name}: {value}" for name, value in request.fields]
        assert not problems, "\n".join(
            [*problems, "the origin received:", f"  {request_line}", *printed, f"  {request.body[:100]!r}"]
        )

    # ---- lines

    def _differences(self, fields: Fields, lines: tuple[str, ...]) -> list[str]:
        filled = tuple(map(self._filled, lines))
        problems = [f"expected no {name}" for name in absent_names(filled) if name in fields]
        for name, value in fields_of(filled):
            if not _fits(fields.get(name), value):
                problems.append(f"expected {name}: {value}")
        return problems

    def _filled(self, text: str) -> str:
        """Return a text with the values of its {placeholders}."""

        def date(match: re.Match[str]) -> str:
            base = self._proxy.clock.now() if match[1] == "now" else self._start
            return imf_date(base + int(match[2] or 0))

        text = _TIME.sub(date, text)
        for name, value in (
            ("authority", self._proxy.authority),
            ("origin", f"{self._proxy.scheme}://{self._proxy.authority}"),
            ("instance", self._proxy.instance),
        ):
            text = text.replace(f"{{{name}}}", value)
        return text


def _is_request_line(line: str) -> bool:
    return " " in line and ":" not in line.partition(" ")[0] and not line.startswith("no ")


def _fits(found: str | None, expected: str) -> bool:
    if found is None:
        return False
    if expected.startswith("..."):
        return found.endswith(expected[3:])
    return found.startswith(expected[:-3]) if expected.endswith("...") else found == expected


def _printed(response: ClientResponse) -> list[str]:
    lines = [f"  {name}: {value}" for name, value in response.fields]
    return [
        f"  {response.status} {response.reason}",
        *lines,
        f"  {response.body[:100]!r}{' (incomplete)' if response.cut else ''}",
    ]


async def _soon[T](awaitable: Awaitable[T], failure: str) -> T:
    """Return the result of an awaitable. Fail the test with a message if it takes longer than TIMEOUT."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await awaitable
    except TimeoutError:
        pytest.fail(failure)


def _lower(fields: Fields) -> list[tuple[str, str]]:
    """Return fields as HTTP/2 has them: without capitals in their names."""
    return [(name.lower(), value) for name, value in fields]
