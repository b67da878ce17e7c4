"""`secondhand why`: the decision about a request, with its arithmetic."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

import typer

from addon.cli.options import (
    ConfigOption,
    HeaderOption,
    JsonOption,
    PrivateOption,
    StoreOption,
    configuration_of,
    request_of,
)
from addon.cli.store import opened
from addon.cli.terminal import say, say_json, say_table
from addon.config.settings import Settings
from addon.runtime.credential_key import credential_key
from cache.engine.explain import Explanation, explain
from cache.http.messages import Request
from cache.policy.private_cache import without_signature
from cache.rules.key import keys, primary_key


def why(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL as a client asks for it.")],
    header: HeaderOption = None,
    method: Annotated[str, typer.Option("-X", "--method", metavar="METHOD")] = "GET",
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say why a request would be answered as it would: key, variants, lifetime, age, and the rule that decides."""
    settings = configuration_of(config, store, private=private).settings
    request = request_of(url, header or [], method)
    explanation = _explained(settings, request)
    if as_json:
        say_json(_described(explanation))
        return
    rows = [(step.subject, step.finding, step.source) for step in explanation.steps]
    say_table(["", "FINDING", "SOURCE"], rows, ["bold"])
    say(f"decision: {explanation.decision}, {explanation.reason}")
    if explanation.head:
        say(f"would send: {explanation.head.status} {explanation.head.reason}")
        say_table(["FIELD", "VALUE"], list(explanation.head.fields), ["cyan"])


def _explained(settings: Settings, request: Request) -> Explanation:
    with opened(settings) as copies:
        directory = settings.store.directory
        key = credential_key(directory) if directory.exists() else b""
        policy = replace(settings.policy(), keying=replace(settings.policy().keying, credential_key=key))
        request = without_signature(request, policy.keying.query_rules)
        candidates = [entry for each in keys(primary_key(request), policy) for entry in copies.candidates(each)]
        return explain(request, candidates, policy, time.time())


def _described(explanation: Explanation) -> dict[str, object]:
    head = explanation.head
    return {
        "decision": explanation.decision,
        "reason": explanation.reason,
        "steps": [{"subject": s.subject, "finding": s.finding, "source": s.source} for s in explanation.steps],
        "would_send": {"status": head.status, "fields": [list(line) for line in head.fields]} if head else None,
    }
