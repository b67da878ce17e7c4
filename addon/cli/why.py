"""`secondhand why`: explain the answer to a request: that of the running proxy, or without one, by the settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import (
    ConfigOption,
    HeaderOption,
    JsonOption,
    PrivateOption,
    StoreOption,
    load_shared_or_private,
    parse_request,
    policy_at_present,
)
from addon.cli.store import open_store
from addon.cli.terminal import fail, print_json, print_line, print_note, print_paragraph, print_table
from addon.cli.time_line_picture import picture
from addon.config.settings import Settings
from addon.pipeline.explanation import described, explain_from, last_fetch
from addon.pipeline.too_large import TooLargeResponses
from addon.programs.client_fields import KnownClient, with_fields_of
from addon.runtime.control_client import ControlError, running_proxies
from addon.runtime.credential_key import credential_key
from addon.runtime.exit_codes import FAILED, NOT_FOUND
from cache.http.messages import Request
from cache.rules.key import target_uri

AsOption = Annotated[
    KnownClient | None, typer.Option("--as", help="Add the request fields that this client sends.", show_default=False)
]


def why(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL, as clients request it.")],
    header: HeaderOption = None,
    method: Annotated[str, typer.Option("-X", "--method", metavar="METHOD", help="The request method.")] = "GET",
    client: AsOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
    svg: Annotated[
        bool, typer.Option("--svg", help="Print how long the copy is used for what, as a picture in SVG.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the picture to this file.")
    ] = None,
) -> None:
    """Explain which response a request would get.

    Prints the cache key, the stored variants, their lifetimes and ages, and the rule that decides. If the last response
    was not stored, the reason for that.

    The running proxy explains what it would answer now. If none is running, the settings are gone by.
    """
    if out is not None and not svg:
        raise typer.BadParameter("expected --svg with it: only the picture is written to a file", param_hint="--out")
    if svg and as_json:
        raise typer.BadParameter("expected only one of --svg and --json", param_hint="--svg")
    settings = load_shared_or_private(config, store, private=private).settings
    request = parse_request(url, header or [], method)
    if client is not None:
        request = with_fields_of(client, request)
    explained = _by_proxy(settings, url, request) or _by_settings(settings, request)
    if svg:
        _draw(url, explained, out)
    elif as_json:
        print_json(explained)
    else:
        _print(explained)


def _by_proxy(settings: Settings, url: str, request: Request) -> dict[str, object] | None:
    """Return the explanation of the running proxy on this store, or None if there is none that can tell."""
    proxies = running_proxies(settings.store.directory)
    fields = list(map(list, request.fields))
    for proxy in proxies:
        try:
            explained = proxy.ask("why", url=url, method=request.method, fields=fields)
        except ControlError as error:
            print_note(str(error))
            continue
        if len(proxies) > 1:
            print_note(f"{len(proxies)} proxies are running on this store; this is the answer of {proxy.path}")
        return {"by": "proxy", **explained}
    return None


def _by_settings(settings: Settings, request: Request) -> dict[str, object]:
    directory = settings.store.directory
    with open_store(settings) as opened:
        secret = credential_key(directory) if directory.exists() else b""
        policy, now = policy_at_present(settings)
        policy = replace(policy, keying=replace(policy.keying, credential_key=secret))
        explanation = explain_from(opened, request, policy, now)
    print_note(f"no proxy is running on {directory}: this is what one with these settings would answer")
    too_large = TooLargeResponses(directory).find(target_uri(request)) if explanation.decision != "hit" else None
    return {"by": "settings", **described(explanation), "too_large": too_large.sentence() if too_large else None}


def _draw(url: str, explained: dict[str, object], out: Path | None) -> None:
    line = explained.get("time_line")
    if not isinstance(line, dict):
        fail(f"nothing is stored for {url}, so there is no time line", NOT_FOUND)
    drawn = picture(url, line)
    if out is None:
        typer.echo(drawn, nl=False)
        return
    try:
        out.write_text(drawn, encoding="utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}", FAILED)
    print_line(f"written: {out}")


def _print(explained: dict[str, object]) -> None:
    steps = explained["steps"]
    rows = [(step["subject"], step["finding"], step["source"]) for step in steps] if isinstance(steps, list) else []
    print_table(["", "FINDING", "SOURCE"], rows, ["bold"])
    if note := last_fetch(explained["not_stored"]):
        print_paragraph(note)
    if sentence := explained.get("too_large"):
        print_paragraph(str(sentence))
    print_line(f"decision: {explained['decision']}, {explained['reason']}")
    head = explained["would_send"]
    if isinstance(head, dict):
        print_line(f"would send: {head['status']} {head['reason']}")
        print_table(["FIELD", "VALUE"], head["fields"], ["cyan"])
    else:
        print_line("would send: what the origin answers")
        if unanswered := explained.get("if_no_answer"):
            print_paragraph(f"if it does not answer: {unanswered}")
        if explained["cache_status"]:
            print_line(f"Cache-Status would begin with: {explained['cache_status']}")
