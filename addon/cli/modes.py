"""`secondhand online|auto|offline|mode`: switch and show when the running proxy asks origins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from addon.cli.failing_origins import failing_origins
from addon.cli.find_proxy import proxies_whatever_the_settings
from addon.cli.options import ConfigOption, JsonOption, StoreOption
from addon.cli.terminal import fail, print_json, print_line, print_table
from addon.runtime.exit_codes import FAILED
from cache.policy.operator_rules import Mode

HostArgument = Annotated[
    str | None,
    typer.Argument(metavar="HOST", help="One host, or a pattern with * and ?; by default, all.", show_default=False),
]


def online(
    host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Ask origins whenever the rules of caching require it.

    Without HOST, this replaces the modes of all hosts.
    """
    _switch(Mode.ONLINE, host, config, store, as_json=as_json)


def auto(
    host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Ask origins while they can be reached.

    While an origin does not answer, one request a second tries it again. All others get its stored responses at once.
    Without HOST, this replaces the modes of all hosts.
    """
    _switch(Mode.AUTO, host, config, store, as_json=as_json)


def offline(
    host: HostArgument = None, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Ask no origin.

    Without HOST, this replaces the modes of all hosts.
    """
    _switch(Mode.OFFLINE, host, config, store, as_json=as_json)


def mode(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print the mode, and which hosts have a mode of their own.

    Origins are listed, too, if they failed when they were last asked.
    """
    _print(_ask_proxies(config, store, {}), as_json=as_json)


def _switch(mode: Mode, host: str | None, config: ConfigOption, store: StoreOption, *, as_json: bool) -> None:
    arguments: dict[str, object] = {"mode": mode} if host is None else {"mode": mode, "host": host}
    _print(_ask_proxies(config, store, arguments), as_json=as_json)


def _print(replies: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json(replies)
        return
    for reply in replies:
        _print_modes(reply)


def _ask_proxies(config: ConfigOption, store: StoreOption, arguments: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the replies of all running proxies of the store; if no proxy runs, the command fails."""
    directory, proxies = proxies_whatever_the_settings(config, store)
    if not proxies:
        fail(
            f"no proxy is running on {directory}: secondhand serve starts one, with the mode that cache.mode sets",
            FAILED,
        )
    return [proxy.ask("mode", **arguments) for proxy in proxies]


def _print_modes(reply: Mapping[str, object]) -> None:
    hosts, failing = reply["hosts"], list(failing_origins(reply))
    mode = str(reply["mode"])
    if reply["recording"]:  # a replay is a mode of its own; a recording is made in any other mode
        mode += f" {reply['recording']}" if mode == Mode.REPLAY else f", recording {reply['recording']}"
    if not hosts and not failing:
        print_line(mode)
        return
    rows = [("all other hosts" if hosts else "all hosts", mode, "")]
    if isinstance(hosts, dict):
        rows = [(host, str(mode), "") for host, mode in hosts.items()] + rows
    rows += [(origin, "", problem) for origin, problem in failing]
    print_table(["HOST", "MODE", "LINK"], rows)
