"""Finds the proxies that run on a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from addon.cli.options import load_configuration
from addon.cli.terminal import fail, print_note
from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.config.store_place import store_place
from addon.runtime.control_client import ControlClient, ControlError, running_proxies
from addon.runtime.exit_codes import FAILED


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A running proxy that programs can use."""

    url: str
    control: ControlClient


def find_running_proxy(settings: Settings) -> RunningProxy | None:
    """Return the first proxy on a store that programs can use, or None if no proxy runs.

    If proxies run, but programs can use none of them, the command fails with the reasons.
    """
    problems = []
    for proxy in running_proxies(settings.store.directory):
        try:
            return RunningProxy(str(proxy.ask("address")["url"]), proxy)
        except ControlError as error:
            problems.append(str(error))
    if problems:
        fail("\n".join(problems), FAILED)
    return None


def running_or_fail(config: Path | None, store: str | None) -> tuple[Path, list[ControlClient]]:
    """Return what `proxies_whatever_the_settings` does; if no proxy runs, the command fails."""
    directory, proxies = proxies_whatever_the_settings(config, store)
    if not proxies:
        fail_without_proxy(directory)
    return directory, proxies


def fail_without_proxy(directory: Path) -> NoReturn:
    """End the command with the message that no proxy is running on a store."""
    fail(f"no proxy is running on {directory}", FAILED)


def proxies_whatever_the_settings(config: Path | None, store: str | None) -> tuple[Path, list[ControlClient]]:
    """Return the directory of the store and the proxies that run on it, also if the settings are invalid now.

    Raises ConfigError if they are invalid, and no proxy is found.
    """
    try:
        directory = load_configuration(config, store).settings.store.directory
    except ConfigError as error:
        directory = store_place(config, store)
        proxies = running_proxies(directory)
        if not proxies:
            raise
        for line in str(error).splitlines():  # the proxy runs with earlier settings
            print_note(line)
        return directory, proxies
    return directory, running_proxies(directory)
