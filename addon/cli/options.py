"""Options that several commands have, and the settings and requests that follow from them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from addon.config.load import Configuration
    from addon.config.settings import Settings
    from cache.http.messages import Request
    from cache.policy.cache_policy import CachePolicy

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The settings file.", show_default=False)
]
StoreOption = Annotated[
    str | None, typer.Option("--store", metavar="DIR", help="The directory of the store.", show_default=False)
]

PrivateOption = Annotated[bool, typer.Option("--private", help="Use the store of `secondhand run`.")]
ProfileOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="A profile (a group of settings), like dev.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LocalhostOption = Annotated[
    bool, typer.Option("--proxy-localhost", help="Send requests for this machine through the proxy, too.")
]
HeaderOption = Annotated[
    list[str] | None, typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="A request field.")
]


def load_configuration(
    config: Path | None,
    store: str | None = None,
    *,
    listen: str | None = None,
    workers: str | None = None,
    answer: str | None = None,
    edge: str | None = None,
    record: str | None = None,
    replay: str | None = None,
    profile: str | None = None,
) -> Configuration:
    """Return the settings of a command. Raises ConfigError."""
    from addon.config.load import configure  # slow to import, as all that is imported by functions here

    overrides: dict[str, object] = {}
    if profile is not None:
        overrides["profile"] = profile
    if listen is not None:
        overrides["listen"] = listen
    if workers is not None:
        overrides["workers"] = int(workers) if workers.isdecimal() else workers
    if store is not None:
        overrides["store"] = {"path": store}
    if answer is not None:
        overrides["answer"] = {"status": answer}
    if edge is not None:
        overrides["edge"] = edge
    if recording := {key: name for key, name in (("record", record), ("replay", replay)) if name is not None}:
        overrides["recordings"] = recording
    return configure(config, overrides)


def load_private_configuration(
    config: Path | None, store: str | None = None, profile: str | None = None
) -> Configuration:
    """Return the settings of `secondhand run`. Raises ConfigError."""
    from addon.config.private_profile import PROFILE
    from addon.config.private_store import configure_private

    return configure_private(str(config) if config else None, store, PROFILE if profile is None else profile)


def load_shared_or_private(
    config: Path | None, store: str | None, *, private: bool, profile: str | None = None
) -> Configuration:
    """Return the settings for the shared store, or for the private store of `secondhand run`. Raises ConfigError."""
    if private:
        return load_private_configuration(config, store, profile)
    return load_configuration(config, store, profile=profile)


def policy_at_present(settings: Settings) -> tuple[CachePolicy, float]:
    """Return the policy, with the setting of this machine's clock, and the time in seconds since the epoch."""
    from addon.runtime.clock import Clock

    policy, clock = settings.policy(), Clock()
    return replace(policy, freshness=replace(policy.freshness, clock=clock.setting)), clock()


def parse_request(url: str, headers: list[str], method: str = "GET") -> Request:
    """Return the request that the user typed; if it is malformed, the command ends as wrong usage."""
    from cache.http.fields import TOKEN
    from cache.http.messages import Fields
    from cache.rules.key import ascii_uri, request_for

    if not TOKEN.fullmatch(method):
        raise typer.BadParameter(f'expected a method like GET, found "{method}"', param_hint="-X")
    lines = []
    for header in headers:
        # the bytes as typed; field values are Latin-1 strings here
        name, colon, value = os.fsencode(header).decode("latin-1").partition(":")
        if not colon or not name.strip():
            raise typer.BadParameter(f'expected "Name: value", found "{header}"', param_hint="-H")
        lines.append((name.strip(), value.strip()))
    try:
        return replace(request_for(ascii_uri(url), Fields(tuple(lines))), method=method)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
