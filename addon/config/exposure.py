"""Refuses settings that store one user's private responses in a proxy that other machines can reach.

See docs/decisions.md, "One user's cache listens on loopback addresses only".
"""

from __future__ import annotations

from collections.abc import Sequence

from addon.config.addresses import is_loopback
from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.settings import Settings

SINGLE_USER_KEYS = {
    "keep_private": "false",
    "keep_no_store": "false",
    "keep_authorized": "[]",
    "keep_authorized_for_any": "[]",
}
"""The keys of `[offline]` that store responses meant for one user, each with the TOML value that turns it off."""


def exposed_keys(settings: Settings, host: str) -> tuple[str, ...]:
    """Return the keys, like `offline.keep_private`, that would expose private responses to clients of `host`."""
    if is_loopback(host):
        return ()
    return tuple(f"offline.{name}" for name in SINGLE_USER_KEYS if getattr(settings.offline, name))


def refuse_exposure(configuration: Configuration) -> None:
    """Raise ConfigError if other machines can reach the proxy and it would store one user's private responses."""
    settings = configuration.settings
    for name, address in (("listen", settings.address), ("listen_tls", settings.tls_address)):
        if address and (keys := exposed_keys(settings, address[0])):
            raise ConfigError(_fault(configuration, name, keys))


def _fault(configuration: Configuration, name: str, keys: Sequence[str]) -> Fault:
    """Return the fault of the key `name`, which has an address that would expose what other keys store."""
    culprits = [f"{key} ({configuration.source(*key.split('.')) or 'default'})" for key in keys]
    remedies = [f"{key} = {SINGLE_USER_KEYS[key.removeprefix('offline.')]}" for key in keys]
    problem = (
        f'found "{getattr(configuration.settings, name)}", which other machines can reach, expected an address of this'
        f' machine only like "127.0.0.1:8080": {" and ".join(culprits)} would show them what is meant for one user;'
        f" or set {' and '.join(remedies)}"
    )
    return Fault(configuration.source(name) or "settings", name, problem)
