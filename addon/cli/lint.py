"""`secondhand lint`: check the response fields that an origin sends about caching."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from addon.cli.options import ConfigOption, HeaderOption, JsonOption, StoreOption, load_configuration, parse_request
from addon.cli.store import key_of, open_store
from addon.cli.terminal import fail, print_json, print_line, print_table
from addon.config.settings import Settings
from addon.origin.lint import CheckedResponse, Finding, Level, findings
from addon.runtime.exit_codes import FAILED, NOT_FOUND
from cache.http.messages import Received, Request, Response
from cache.rules.coded_forms import with_forms
from cache.rules.gzip_proxied import may_withhold_gzip

if TYPE_CHECKING:
    from addon.origin import OriginClient, OriginOptions

MAX_CONTENT = 1_048_576
"""Bytes of content that are read. Longer content is not checked."""


@dataclass(frozen=True, slots=True)
class LintedResponse:
    """A response to check, and what identifies it."""

    examined: CheckedResponse
    method: str
    vary: tuple[tuple[str, str | None], ...] = ()
    """The request fields that select a stored response, with their values or None if absent."""

    @property
    def title(self) -> str:
        """The status, the method, and the request fields that select the variant."""
        selecting = [f"{name}: {value}" if value is not None else f"no {name}" for name, value in self.vary]
        head = self.examined.received.head
        return f"{head.status} to {self.method}" + (f" with {', '.join(selecting)}" if selecting else "")


def lint(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL, as clients request it.")],
    header: HeaderOption = None,
    stored: Annotated[bool, typer.Option("--stored", help="Check the stored responses; ask no origin.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also print findings that do not concern caching.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the response fields that an origin sends about caching.

    Fails if a finding is of level bad.
    """
    if find_spec("httplint") is None:
        fail('this command needs httplint, which is not installed: pip install "secondhand[lint]"', FAILED)
    settings = load_configuration(config, store).settings
    stored = stored or settings.policy().for_host(parse_request(url, []).host).network.offline
    if stored and header:
        raise typer.BadParameter("expected no fields with --stored or offline: no request is sent", param_hint="-H")
    if stored:
        responses = list(_stored_responses(settings, url))
    else:
        responses = [_origin_response(settings, parse_request(url, header or []))]
    policy = settings.policy()
    results = [(response, findings(response.examined, policy, everything=everything)) for response in responses]
    if as_json:
        print_json([_described(response, found) for response, found in results])
    else:
        _print_results(results)
    if any(finding.level is Level.BAD for _, found in results for finding in found):
        raise typer.Exit(FAILED)


def _print_results(results: list[tuple[LintedResponse, list[Finding]]]) -> None:
    for number, (response, found) in enumerate(results):
        if number:
            print_line("")
        print_line(response.title)
        rows = [(finding.level, finding.subject, finding.sentence, finding.source) for finding in found]
        print_table(["LEVEL", "ABOUT", "FINDING", "SOURCE"], rows, ["bold", "cyan"])


def _described(response: LintedResponse, found: list[Finding]) -> dict[str, object]:
    return {
        "status": response.examined.received.head.status,
        "method": response.method,
        "vary": dict(response.vary),
        "findings": [asdict(finding) for finding in found],
    }


def _stored_responses(settings: Settings, url: str) -> Iterator[LintedResponse]:
    with open_store(settings) as store:
        variants = with_forms(store.candidates(key_of(url)))
    if not variants:
        fail(f"nothing is stored for {url}", NOT_FOUND)
    for entry in variants:
        received = Received(entry.head, entry.request_time, entry.response_time)
        yield LintedResponse(CheckedResponse(received), entry.method, entry.vary)


def _origin_response(settings: Settings, request: Request) -> LintedResponse:
    from addon.origin import OriginFailure  # slow to import, and only commands that ask origins need it

    if "user-agent" not in request.fields:  # RFC 9110 §10.1.5; some origins refuse requests without it
        request = replace(request, fields=request.fields.appending(("User-Agent", "secondhand")))
    try:
        return LintedResponse(asyncio.run(_exchange(settings.origin_options(), request)), request.method)
    except OriginFailure as failure:
        fail(failure.detail, FAILED)
    except ValueError as error:  # an invalid origin option, or a request field that cannot be sent
        raise typer.BadParameter(str(error)) from None


async def _exchange(options: OriginOptions, request: Request) -> CheckedResponse:
    """Send a request and read up to MAX_CONTENT bytes of content. Raises OriginFailure and ValueError."""
    from addon.origin import OriginClient, OriginFailure

    origin = OriginClient(options)
    content, whole, cut_short = bytearray(), True, False
    try:
        response = await origin.fetch(request)
        try:
            async for data in response.body():
                content += data
                if len(content) > MAX_CONTENT:
                    whole = False
                    break
        except OriginFailure:
            whole, cut_short = False, True
        await response.close()
        refuses_via = await _refuses_via(origin, request, response.head)
    finally:
        await origin.close()
    received = Received(response.head, response.request_time, response.response_time)
    return CheckedResponse(received, request, bytes(content), whole=whole, cut_short=cut_short, refuses_via=refuses_via)


async def _refuses_via(origin: OriginClient, request: Request, head: Response) -> bool:
    """Return whether an nginx compresses a response, but not for a request with Via. Raises OriginFailure."""
    plain = request.fields.replacing("Accept-Encoding", "gzip")
    with_via = plain.appending(("Via", "1.1 secondhand"))
    if not may_withhold_gzip(
        with_via, replace(head, fields=head.fields.without(["content-encoding", "content-length"]))
    ):
        return False
    compressed = []
    for fields in (with_via, plain):
        response = await origin.fetch(replace(request, fields=fields))
        await response.close()
        compressed.append("content-encoding" in response.head.fields)
    return compressed == [False, True]
