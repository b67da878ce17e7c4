"""`secondhand show`: a stored response as the origin sent it, as a client gets it, and the difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

import typer

from addon.cli.options import (
    ConfigOption,
    JsonOption,
    PrivateOption,
    StoreOption,
    load_shared_or_private,
    policy_at_present,
)
from addon.cli.store import freshness_state, key_of, open_store
from addon.cli.terminal import NOT_FOUND, fail, print_json, print_line, print_table
from addon.config.units import size_text, time_text
from cache.engine import preview
from cache.http.fields import imf_date
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.key import is_spelled_as, keys
from cache.rules.mementos import current
from cache.rules.ownership import ANY, API_KEY, COOKIE, CREDENTIAL, SCOPE
from cache.rules.stored_response import StoredResponse


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line of the definitive head and of the presented head; None if a head does not have it."""

    name: str
    definitive: str | None
    presented: str | None

    @property
    def mark(self) -> str:
        """`-` for a line that the client does not get, `+` for one that this proxy adds, `~` for a change."""
        if self.definitive == self.presented:
            return " "
        if self.presented is None:
            return "-"
        return "+" if self.definitive is None else "~"


def compared(definitive: Response, presented: Response) -> Iterator[ComparedLine]:
    """Iterate over the lines of both heads: first the status, then each field, in the order of its first line."""
    yield ComparedLine("status", f"{definitive.status} {definitive.reason}", f"{presented.status} {presented.reason}")
    names: dict[str, str] = {}
    for name, _ in (*definitive.fields, *presented.fields):
        names.setdefault(name.lower(), name)
    for name in names.values():
        for before, after in zip_longest(definitive.fields.all(name), presented.fields.all(name)):
            yield ComparedLine(name, before, after)


def show(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL, as clients request it.")],
    everything: Annotated[
        bool, typer.Option("--all", help="List all stored captures (versions), also past ones.")
    ] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show stored responses, as received and as clients get them.

    This proxy adds the lines marked +, removes those marked - and changes those marked ~.
    """
    settings = load_shared_or_private(config, store, private=private).settings
    policy, now = policy_at_present(settings)
    with open_store(settings) as opened:
        captures = tuple(entry for key in keys(key_of(url), policy) for entry in opened.candidates(key))
    if not captures:
        fail(f"nothing is stored for {url}", NOT_FOUND)
    variants = current(captures)
    if everything:
        _list_captures(captures, variants, as_json=as_json)
        return
    if as_json:
        print_json([_described(entry, policy, now) for entry in variants])
        return
    for number, entry in enumerate(variants, start=1):
        if number > 1:
            print_line("")
        prefix = f"variant {number} of {len(variants)}: " if len(variants) > 1 else ""
        for line in _summary(entry, policy, now, prefix):
            print_line(line)
        lines = compared(entry.head, preview(entry, policy, now))
        rows = [(line.mark, line.name, line.definitive or "", line.presented or "") for line in lines]
        print_table(["", "FIELD", "ORIGIN SENT", "CLIENT GETS"], rows, ["bold", "cyan"])


def _list_captures(
    captures: tuple[StoredResponse, ...], variants: tuple[StoredResponse, ...], *, as_json: bool
) -> None:
    """Print all captures, the latest first; `variants` are the current ones."""
    listed = sorted(captures, key=lambda entry: entry.stored_at, reverse=True)
    if as_json:
        print_json([{**_capture(entry), "current": entry in variants} for entry in listed])
        return
    rows = [
        (
            imf_date(entry.stored_at),
            "current" if entry in variants else "past",
            entry.method,
            str(entry.head.status),
            size_text(entry.length),
            entry.sha256[:16],
            ", ".join(_selecting_fields(entry)),
        )
        for entry in listed
    ]
    print_table(["CAPTURED", "STATE", "METHOD", "STATUS", ">SIZE", "SHA-256", "FOR REQUESTS"], rows)


def _capture(entry: StoredResponse) -> dict[str, object]:
    return {
        "url": entry.key,
        "method": entry.method,
        "status": entry.head.status,
        "captured_at": entry.stored_at,
        "memento_datetime": imf_date(entry.stored_at),
        "size": entry.length,
        "sha256": entry.sha256,
        "vary": dict(entry.vary),
    }


def _selecting_fields(entry: StoredResponse) -> Iterator[str]:
    """Iterate over the conditions for a request to get a variant, as text."""
    if not is_spelled_as(entry.key, entry.target):
        yield f"spelled {entry.target}"
    for name, value in entry.vary:
        if name == SCOPE:
            yield f"of the profile {value}"
        elif name == CREDENTIAL:
            yield "with any Authorization, offline" if value == ANY else _same("Authorization", value)
        elif name == COOKIE:
            yield _same("Cookie", value)
        elif name == API_KEY:
            yield _same("API key", value)
        else:
            yield f"with {name}: {value}" if value is not None else f"without {name}"


def _same(name: str, keyed_hash: str | None) -> str:
    return f"without {name}" if keyed_hash is None else f"with the same {name}"


def _summary(entry: StoredResponse, policy: CachePolicy, now: float, prefix: str) -> Iterator[str]:
    lifetime = freshness_lifetime(entry, policy)
    yield f"{prefix}{entry.method} {entry.key}"
    yield (
        f"{freshness_state(entry, policy, now)}, age {time_text(current_age(entry, policy, now))}"
        f" of {time_text(lifetime.seconds)} ({lifetime.source})"
    )
    yield f"stored {imf_date(entry.stored_at)}, {size_text(entry.length)}"
    yield f"sha256 {entry.sha256}"
    if entry.scrubbed:
        yield "scrubbed: this proxy removed secrets from it"
    yield from (f"for requests {condition}" for condition in _selecting_fields(entry))


def _described(entry: StoredResponse, policy: CachePolicy, now: float) -> dict[str, object]:
    presented = preview(entry, policy, now)
    lifetime = freshness_lifetime(entry, policy)
    return {
        "url": entry.key,
        "method": entry.method,
        "state": freshness_state(entry, policy, now),
        "age": int(current_age(entry, policy, now)),
        "lifetime": lifetime.seconds,
        "lifetime_source": lifetime.source,
        "stored_at": entry.stored_at,
        "size": entry.length,
        "sha256": entry.sha256,
        "scrubbed": entry.scrubbed,
        "vary": dict(entry.vary),
        "definitive": _head(entry.head),
        "presented": _head(presented),
        "difference": [
            {"name": line.name, "definitive": line.definitive, "presented": line.presented}
            for line in compared(entry.head, presented)
            if line.mark != " "
        ],
    }


def _head(head: Response) -> dict[str, object]:
    return {"status": head.status, "reason": head.reason, "fields": _lines(head.fields)}


def _lines(fields: Fields) -> list[list[str]]:
    return [[name, value] for name, value in fields]
