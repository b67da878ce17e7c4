"""Plays a conversation in a lane and checks every line of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable

import pytest

from cache.http.fields import imf_date
from cache.http.messages import Fields
from cache.stores.codec import encode
from tests.lanes import script
from tests.lanes.comparison import Told, told
from tests.lanes.lane import Lane, Stage
from tests.lanes.laws import check_answer
from tests.lanes.messages import Asked, Heard, Seen, absent, fields_of, reply_of

PATIENCE = 5.0
"""Seconds until something that must happen counts as not happening."""

_MOMENT = re.compile(r"\{(now|start)([+-][0-9]+)?\}")
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")


async def play(conversation: script.Conversation, lane: Lane) -> list[Told]:
    """Play a conversation; return everything its clients heard, in the form in which lanes are compared."""
    async with lane.stage(conversation) as stage:
        performance = _Performance(stage)
        for number, step in enumerate(conversation.steps, 1):
            try:
                await performance.perform(step)
            except (AssertionError, pytest.fail.Exception, TimeoutError) as error:
                error.add_note(f"in line {number}: {str(step)[:500]}")
                raise
        performance.close()
        return performance.told


class _Performance:
    def __init__(self, stage: Stage) -> None:
        self.told: list[Told] = []
        self._stage = stage
        self._start = stage.time.now()
        self._waiting: dict[str, Asked] = {}
        self._secrets: set[str] = set()
        self._last: script.Step | None = None

    async def perform(self, step: script.Step) -> None:
        await self._perform(step)
        self._last = step

    async def _perform(self, step: script.Step) -> None:
        stage = self._stage
        match step:
            case script.Ask():
                await self._ask(step)
            case script.Answer():
                await self._answer(step)
            case script.Origin():
                if isinstance(self._last, script.Ask) and len(self._waiting) > 1:
                    await _soon(stage.waits(), "the requests never get that far")
                self._check_seen(await _soon(stage.seen(), "the origin is not asked"), step.saw)
                fields, body = tuple(map(self._filled, step.fields)), self._filled(step.body).encode("latin-1")
                await stage.send(reply_of(step.status, fields, body, step.then, stage.time.now()))
            case script.OriginOctets():
                await _soon(stage.seen(), "the origin is not asked")
                await stage.send_octets(step.octets, step.then)
            case script.OriginFails():
                await _soon(stage.seen(), "the origin is not asked")
                await stage.fail(step.how)
            case script.OriginGoesOn():
                await stage.go_on(self._filled(step.body).encode("latin-1"), step.then)
            case script.OriginGone():
                await stage.origin_goes()
            case script.OriginBack():
                await stage.origin_returns()
            case script.Later():
                if self._waiting:  # for the origin: the request must have left before time passes
                    await _soon(self._origin_is_asked(), "the origin is not asked")
                self._check_quiet_between()
                stage.time.pass_(step.seconds)
            case script.ClockSetBack():
                stage.time.set_back(step.seconds)
            case script.Leave():
                await _soon(stage.leave(step.client), "nothing comes to leave from")
                del self._waiting[step.client]
            case script.Waits():
                await _soon(stage.waits(), "the requests never get that far")
            case script.Purge():
                await stage.purge(step.path)
            case script.Offline():
                stage.go_offline()
            case script.NoClock():
                stage.lose_clock()
            case script.Counts():
                await _soon(stage.counted(step.counter, step.by), f"{step.counter} has not risen by {step.by}")

    def close(self) -> None:
        """Check what must hold at the end."""
        self._check_quiet()
        assert not self._waiting, "a client was never answered"
        rows = b"".join(map(encode, self._stage.stored()))
        for secret in self._secrets:
            assert secret.encode("latin-1") not in rows, f"{secret} is in the store"

    async def _ask(self, step: script.Ask) -> None:
        assert step.client not in self._waiting, "it has not been answered yet"
        if isinstance(self._last, script.Ask):  # who asks first is first at the origin
            await _soon(self._origin_is_asked(), "the origin is not asked")
        self._check_quiet_between()
        method, target = step.line.split(" ")
        fields = fields_of(tuple(map(self._filled, step.fields)))
        self._secrets.update(value for name, value in fields if name.lower() in _CREDENTIALS)
        asked = Asked(method, self._filled(target), fields, step.body.encode("latin-1"))
        self._waiting[step.client] = asked
        await self._stage.ask(step.client, asked)

    async def _answer(self, step: script.Answer) -> None:
        asked = self._waiting.pop(step.client)
        heard = await self._hear(step.client)
        self.told.append(told(heard, f"{self._stage.scheme}://{self._stage.authority}", self._start))
        problems = check_answer(asked, heard)
        code, _, reason = step.status.partition(" ")
        if str(heard.status) != code or (reason and heard.reason not in (reason, None)):
            problems.append(f"expected {step.status}")
        problems += self._differences(heard.fields, step.fields)
        body, expected = heard.body.decode("latin-1"), self._filled(step.body or "")
        # what was on its way when the connection was cut may be lost
        if step.body is not None and not (expected.startswith(body) if step.cut else _fits(body, expected)):
            problems.append(f"expected the body {expected[:100]!r}")
        if heard.cut != step.cut:
            problems.append("expected a cut connection" if step.cut else "expected a clean end")
        if heard.interim is not None and heard.interim != step.interim:
            problems.append(f"expected {step.interim} before it, heard {heard.interim}")
        if heard.trailers is not None and heard.trailers.lines != fields_of(step.trailers).lines:
            problems.append(f"expected {step.trailers} behind it, heard {heard.trailers.lines}")
        assert not problems, "\n".join([*problems, "heard:", *_shown(heard)])

    async def _hear(self, client: str) -> Heard:
        """Wait for an answer, but not for long if the origin is asked unexpectedly."""
        hearing = asyncio.ensure_future(self._stage.heard(client))
        try:
            for _ in range(20):
                done, _ = await asyncio.wait({hearing}, timeout=PATIENCE / 20)
                if done:
                    return hearing.result()
                self._check_quiet()
        finally:
            hearing.cancel()
        pytest.fail("no answer")

    async def _origin_is_asked(self) -> None:
        while not self._stage.origin_is_asked:
            await asyncio.sleep(0.001)

    def _check_quiet_between(self) -> None:
        if not self._waiting:
            self._check_quiet()

    def _check_quiet(self) -> None:
        assert not self._stage.origin_is_asked, "the origin is asked, which no line says"

    def _check_seen(self, seen: Seen, lines: tuple[str, ...]) -> None:
        said = tuple(map(self._filled, lines))
        first = f"{seen.method} {seen.target}"
        expected_line = [line for line in said if _is_request_line(line)]
        problems = [f"expected {line}" for line in expected_line if line != first]
        problems += self._differences(seen.fields, tuple(line for line in said if line not in expected_line))
        asked = [each for each in self._waiting.values() if (each.method, each.target) == (seen.method, seen.target)]
        if asked and seen.body not in [each.body for each in asked]:
            problems.append("expected the content that the client sent")
        told = [f"  {name}: {value}" for name, value in seen.fields]
        assert not problems, "\n".join([*problems, "the origin saw:", f"  {first}", *told, f"  {seen.body[:100]!r}"])

    def _differences(self, fields: Fields, lines: tuple[str, ...]) -> list[str]:
        filled = tuple(map(self._filled, lines))
        problems = [f"expected no {name}" for name in absent(filled) if name in fields]
        for name, value in fields_of(filled):
            if not _fits(fields.get(name), value):
                problems.append(f"expected {name}: {value}")
        return problems

    def _filled(self, text: str) -> str:
        def moment(match: re.Match[str]) -> str:
            since = self._stage.time.now() if match[1] == "now" else self._start
            return imf_date(since + int(match[2] or 0))

        text = _MOMENT.sub(moment, text)
        for name, value in (
            ("authority", self._stage.authority),
            ("origin", f"{self._stage.scheme}://{self._stage.authority}"),
            ("instance", self._stage.instance),
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


def _shown(heard: Heard) -> list[str]:
    told = [f"  {name}: {value}" for name, value in heard.fields]
    return [f"  {heard.status} {heard.reason}", *told, f"  {heard.body[:100]!r}{' (cut)' if heard.cut else ''}"]


async def _soon[T](happening: Awaitable[T], otherwise: str) -> T:
    try:
        async with asyncio.timeout(PATIENCE):
            return await happening
    except TimeoutError:
        pytest.fail(otherwise)
