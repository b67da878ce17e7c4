"""Finds the proxy that runs on a store, for commands that send programs to it."""

from __future__ import annotations

from dataclasses import dataclass

from addon.cli.terminal import FAILED, fail
from addon.config.settings import Settings
from addon.runtime.control_client import ControlClient, ControlError, running_proxies


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
