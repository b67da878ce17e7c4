"""The running proxy of a store, and where programs reach it."""

from __future__ import annotations

from dataclasses import dataclass

from addon.cli.terminal import FAILED, fail
from addon.config.settings import Settings
from addon.runtime.control import ControlClient, ControlError, running_proxies


@dataclass(frozen=True, slots=True)
class Running:
    """One that programs can use."""

    url: str
    control: ControlClient


def running(settings: Settings) -> Running | None:
    """Return the first proxy of a store that programs can use, or None where none runs.

    Where some run, and none of them can be used, the command fails and says why.
    """
    troubles = []
    for proxy in running_proxies(settings.store.directory):
        try:
            return Running(str(proxy.ask("address")["url"]), proxy)
        except ControlError as error:
            troubles.append(str(error))
    if troubles:
        fail("\n".join(troubles), FAILED)
    return None
