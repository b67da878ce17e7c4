"""`secondhand show`: what the origin said, what a client is shown, and the difference."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, configuration_of
from addon.cli.store import key_of, opened, state
from addon.cli.terminal import NOT_FOUND, fail, say, say_json, say_table
from addon.config.units import size_text, time_text
from cache.engine import preview
from cache.http.fields import imf_date
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.key import keys
from cache.rules.mementos import current
from cache.rules.ownership import ANY, CREDENTIAL, SCOPE
from cache.rules.stored_response import StoredResponse


@dataclass(frozen=True, slots=True)
class Line:
    """One line of both heads. None where a head does not have it."""

    name: str
    definitive: str | None
    presented: str | None

    @property
    def mark(self) -> str:
        """Return `-` for a line the client does not see, `+` for one the origin did not say, `~` for a change."""
        if self.definitive == self.presented:
            return " "
        if self.presented is None:
            return "-"
        return "+" if self.definitive is None else "~"


def compared(definitive: Response, presented: Response) -> Iterator[Line]:
    """Iterate over both heads side by side: the status, then each field in the order of its first line."""
    yield Line("status", f"{definitive.status} {definitive.reason}", f"{presented.status} {presented.reason}")
    names: dict[str, str] = {}
    for name, _ in (*definitive.fields, *presented.fields):
        names.setdefault(name.lower(), name)
    for name in names.values():
        for before, after in zip_longest(definitive.fields.all(name), presented.fields.all(name)):
            yield Line(name, before, after)


def show(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL as a client asks for it.")],
    everything: Annotated[bool, typer.Option("--all", help="List the states of the past that are kept too.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show copies: what the origin said, and what a client is shown.

    A line marked + is ours, - is hidden from clients, ~ is changed.
    """
    settings = configuration_of(config, store, private=private).settings
    policy, now = settings.policy(), time.time()
    with opened(settings) as copies:
        variants = tuple(entry for key in keys(key_of(url), policy) for entry in copies.candidates(key))
    if not variants:
        fail(f"nothing is stored for {url}", NOT_FOUND)
    present = current(variants)
    if everything:
        _list_captures(variants, present, as_json=as_json)
        return
    variants = present
    if as_json:
        say_json([_described(entry, policy, now) for entry in variants])
        return
    for number, entry in enumerate(variants, start=1):
        if number > 1:
            say("")
        for line in _summary(entry, policy, now, f"variant {number} of {len(variants)}: " if len(variants) > 1 else ""):
            say(line)
        lines = compared(entry.head, preview(entry, policy, now))
        rows = [(line.mark, line.name, line.definitive or "", line.presented or "") for line in lines]
        say_table(["", "FIELD", "ORIGIN SAID", "CLIENT IS SHOWN"], rows, ["bold", "cyan"])


def _list_captures(captures: tuple[StoredResponse, ...], present: tuple[StoredResponse, ...], *, as_json: bool) -> None:
    """Say which states are kept, the latest first."""
    listed = sorted(captures, key=lambda entry: entry.stored_at, reverse=True)
    if as_json:
        say_json([{**_capture(entry), "current": entry in present} for entry in listed])
        return
    rows = [
        (
            imf_date(entry.stored_at),
            "current" if entry in present else "past",
            entry.method,
            str(entry.head.status),
            size_text(entry.length),
            entry.sha256[:16],
            ", ".join(_nominated(entry)),
        )
        for entry in listed
    ]
    say_table(["CAPTURED", "STATE", "METHOD", "STATUS", ">SIZE", "SHA-256", "FOR REQUESTS"], rows)


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


def _nominated(entry: StoredResponse) -> Iterator[str]:
    for name, value in entry.vary:
        if name == SCOPE:
            yield f"of the profile {value}"
        elif name == CREDENTIAL:
            yield "with any Authorization, offline" if value == ANY else "with the same Authorization"
        else:
            yield f"with {name}: {value}" if value is not None else f"without {name}"


def _summary(entry: StoredResponse, policy: CachePolicy, now: float, which: str) -> Iterator[str]:
    lifetime = freshness_lifetime(entry, policy)
    yield f"{which}{entry.method} {entry.key}"
    yield (
        f"{state(entry, policy, now)}, age {time_text(current_age(entry, policy, now))}"
        f" of {time_text(lifetime.seconds)} ({lifetime.source})"
    )
    yield f"stored {imf_date(entry.stored_at)}, {size_text(entry.length)}"
    yield f"sha256 {entry.sha256}"
    if entry.scrubbed:
        yield "scrubbed: something was taken out of it here"
    yield from (f"for requests {named}" for named in _nominated(entry))


def _described(entry: StoredResponse, policy: CachePolicy, now: float) -> dict[str, object]:
    presented = preview(entry, policy, now)
    lifetime = freshness_lifetime(entry, policy)
    return {
        "url": entry.key,
        "method": entry.method,
        "state": state(entry, policy, now),
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
