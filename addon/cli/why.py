"""`secondhand why`: explain the cache's decision about a request, with the calculations behind it."""

from __future__ import annotations

from dataclasses import replace
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
from addon.cli.terminal import print_json, print_line, print_table
from addon.config.settings import Settings
from addon.pipeline.explanation import explain_from, explanation_rows
from addon.runtime.credential_key import credential_key
from cache.engine.explain import Explanation
from cache.http.messages import Request


def why(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL, as clients request it.")],
    header: HeaderOption = None,
    method: Annotated[str, typer.Option("-X", "--method", metavar="METHOD", help="The request method.")] = "GET",
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Explain which response a request would get.

    Prints the cache key, the stored variants, their lifetimes and ages, and the rule that decides.
    """
    settings = load_shared_or_private(config, store, private=private).settings
    request = parse_request(url, header or [], method)
    explanation = _explanation(settings, request)
    if as_json:
        print_json(_described(explanation))
        return
    print_table(["", "FINDING", "SOURCE"], explanation_rows(explanation), ["bold"])
    print_line(f"decision: {explanation.decision}, {explanation.reason}")
    if explanation.head:
        print_line(f"would send: {explanation.head.status} {explanation.head.reason}")
        print_table(["FIELD", "VALUE"], list(explanation.head.fields), ["cyan"])


def _explanation(settings: Settings, request: Request) -> Explanation:
    with open_store(settings) as opened:
        directory = settings.store.directory
        secret = credential_key(directory) if directory.exists() else b""
        policy, now = policy_at_present(settings)
        policy = replace(policy, keying=replace(policy.keying, credential_key=secret))
        return explain_from(opened, request, policy, now)


def _described(explanation: Explanation) -> dict[str, object]:
    head = explanation.head
    return {
        "decision": explanation.decision,
        "reason": explanation.reason,
        "steps": [
            {"subject": step.subject, "finding": step.finding, "source": step.source} for step in explanation.steps
        ],
        "would_send": {"status": head.status, "fields": [list(line) for line in head.fields]} if head else None,
    }
