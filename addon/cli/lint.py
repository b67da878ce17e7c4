"""`secondhand lint`: what is wrong with an origin's caching metainformation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from addon.cli.options import ConfigOption, HeaderOption, JsonOption, StoreOption, configuration, request_of
from addon.cli.store import key_of, opened
from addon.cli.terminal import FAILED, NOT_FOUND, fail, say, say_json, say_table
from addon.config.settings import Settings
from addon.origin.lint import Examined, Finding, Level, findings
from cache.http.messages import Received, Request

if TYPE_CHECKING:
    from addon.origin import OriginOptions

MAX_CONTENT = 1_048_576
"""Octets of content that are read; the content of what is longer is not judged."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """A response to look at, and which one it is."""

    examined: Examined
    method: str
    vary: tuple[tuple[str, str | None], ...] = ()
    """The request fields that a stored response was selected by."""

    @property
    def title(self) -> str:
        """The status, the method, and what tells a variant from the others."""
        nominated = [f"{name}: {value}" if value is not None else f"no {name}" for name, value in self.vary]
        head = self.examined.received.head
        return f"{head.status} to {self.method}" + (f" with {', '.join(nominated)}" if nominated else "")


def lint(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL as a client asks for it.")],
    header: HeaderOption = None,
    stored: Annotated[bool, typer.Option("--stored", help="Look at what is stored; ask no origin.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also say what does not concern caching.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with what an origin says about caching. Fails if something is bad."""
    settings = configuration(config, store).settings
    stored = stored or settings.policy().towards(request_of(url, []).host).network.offline
    if stored and header:
        raise typer.BadParameter("expected none beside --stored or offline: nobody is asked", param_hint="-H")
    specimens = list(_stored(settings, url)) if stored else [_answer(settings, request_of(url, header or []))]
    policy = settings.policy()
    found = [(specimen, findings(specimen.examined, policy, everything=everything)) for specimen in specimens]
    if as_json:
        say_json([_described(specimen, said) for specimen, said in found])
    else:
        _say(found)
    if any(finding.level is Level.BAD for _, said in found for finding in said):
        raise typer.Exit(FAILED)


def _say(found: list[tuple[Specimen, list[Finding]]]) -> None:
    for number, (specimen, said) in enumerate(found):
        if number:
            say("")
        say(specimen.title)
        rows = [(finding.level, finding.subject, finding.sentence, finding.source) for finding in said]
        say_table(["LEVEL", "ABOUT", "FINDING", "SOURCE"], rows, ["bold", "cyan"])


def _described(specimen: Specimen, said: list[Finding]) -> dict[str, object]:
    return {
        "status": specimen.examined.received.head.status,
        "method": specimen.method,
        "vary": dict(specimen.vary),
        "findings": [asdict(finding) for finding in said],
    }


def _stored(settings: Settings, url: str) -> Iterator[Specimen]:
    with opened(settings) as copies:
        variants = copies.candidates(key_of(url))
    if not variants:
        fail(f"nothing is stored for {url}", NOT_FOUND)
    for entry in variants:
        received = Received(entry.head, entry.request_time, entry.response_time)
        yield Specimen(Examined(received), entry.method, entry.vary)


def _answer(settings: Settings, request: Request) -> Specimen:
    from addon.origin import OriginFailure  # loads what only those need who ask origins

    if "user-agent" not in request.fields:  # RFC 9110 §10.1.5; and some origins refuse to answer without
        request = replace(request, fields=request.fields.appending(("User-Agent", "secondhand")))
    try:
        return Specimen(asyncio.run(_exchange(settings.origin_options(), request)), request.method)
    except OriginFailure as failure:
        fail(failure.detail, FAILED)
    except ValueError as error:  # an option of no use, or a field that cannot be sent
        raise typer.BadParameter(str(error)) from None


async def _exchange(options: OriginOptions, request: Request) -> Examined:
    """Ask, and read up to MAX_CONTENT. Raises OriginFailure and ValueError."""
    from addon.origin import OriginClient, OriginFailure

    origin = OriginClient(options)
    content, whole, cut_short = bytearray(), True, False
    try:
        answer = await origin.fetch(request)
        try:
            async for octets in answer.body():
                content += octets
                if len(content) > MAX_CONTENT:
                    whole = False
                    break
        except OriginFailure:
            whole, cut_short = False, True
        await answer.close()
    finally:
        await origin.close()
    received = Received(answer.head, answer.request_time, answer.response_time)
    return Examined(received, request, bytes(content), whole, cut_short)
