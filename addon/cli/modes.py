"""`secondhand online|auto|offline|mode`: who is asked, switched while the proxy runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, configuration
from addon.cli.terminal import FAILED, fail, say, say_json, say_table
from addon.runtime.control import running_proxies
from cache.policy.rules import Mode

HostArgument = Annotated[
    str | None, typer.Argument(metavar="HOST", help="Only this host, or a pattern with * and ?.", show_default=False)
]


def online(host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Ask origins whenever the rules of caching want it. Without HOST, for all hosts alike."""
    _switch(Mode.ONLINE, host, config, store)


def auto(host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Ask origins while they can be reached; else their copies answer at once. Without HOST, for all hosts alike."""
    _switch(Mode.AUTO, host, config, store)


def offline(host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Ask no origin, whatever happens. Without HOST, for all hosts alike."""
    _switch(Mode.OFFLINE, host, config, store)


def mode(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Say which mode holds, for which hosts another one does, and which hosts cannot be reached now."""
    answers = _asked(config, store, {})
    if as_json:
        say_json(answers)
        return
    for answer in answers:
        _say(answer)


def _switch(mode: Mode, host: str | None, config: ConfigOption, store: StoreOption) -> None:
    arguments: dict[str, object] = {"mode": mode} if host is None else {"mode": mode, "host": host}
    for answer in _asked(config, store, arguments):
        _say(answer)


def _asked(config: ConfigOption, store: StoreOption, arguments: Mapping[str, object]) -> list[dict[str, object]]:
    """Return what every running proxy of the store answers; without any, the command fails."""
    directory = configuration(config, store).settings.store.directory
    proxies = running_proxies(directory)
    if not proxies:
        fail(f"no proxy is running on {directory}: secondhand serve starts one, and cache.mode says how", FAILED)
    return [proxy.ask("mode", **arguments) for proxy in proxies]


def _say(answer: Mapping[str, object]) -> None:
    hosts, unreachable = answer["hosts"], answer["unreachable"]
    mode = str(answer["mode"])
    if answer["recording"]:  # made in whichever mode holds, or replayed
        mode += f" {answer['recording']}" if mode == Mode.REPLAY else f", recording {answer['recording']}"
    if not hosts and not unreachable:
        say(mode)
        return
    rows = [("every other host" if hosts else "every host", mode, "")]
    if isinstance(hosts, dict):
        rows = [(host, str(mode), "") for host, mode in hosts.items()] + rows
    if isinstance(unreachable, list):
        rows += [(str(host), "", "cannot be reached now") for host in unreachable]
    say_table(["HOST", "MODE", "LINK"], rows)
