"""A proxy that keeps what is one user's alone is for this machine alone (decisions D31, D35)."""

from __future__ import annotations

from addon.config.addresses import is_loopback
from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.settings import Settings

ONE_USERS = {
    "keep_private": "false",
    "keep_no_store": "false",
    "keep_authorized": "[]",
    "keep_authorized_for_any": "[]",
}
"""What of `[offline]` keeps answers that are for nobody else, and how a settings file says that it does not."""


def exposed(settings: Settings, host: str) -> tuple[str, ...]:
    """Return the keys, like `offline.keep_private`, that keep what others would see who reach a proxy at `host`."""
    if is_loopback(host):
        return ()
    return tuple(f"offline.{name}" for name in ONE_USERS if getattr(settings.offline, name))


def refuse_exposure(found: Configuration) -> None:
    """Raise ConfigError where a proxy that others can reach would keep what is for one user alone."""
    settings = found.settings
    kept = exposed(settings, settings.address[0])
    if not kept:
        return
    said = [f"{key} ({found.source(*key.split('.')) or 'default'})" for key in kept]
    without = [f"{key} = {ONE_USERS[key.removeprefix('offline.')]}" for key in kept]
    problem = (
        f'found "{settings.listen}", where others can reach it, expected an address of this machine alone like'
        f' "127.0.0.1:8080": {" and ".join(said)} would show them what is for one user; or set {" and ".join(without)}'
    )
    raise ConfigError(Fault(found.source("listen") or "settings", "listen", problem))
