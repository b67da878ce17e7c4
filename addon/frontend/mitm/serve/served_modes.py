"""The modes in which mitmproxy listens in `serve`: which of them make it an edge, and which cannot be used together."""

from __future__ import annotations

from collections.abc import Sequence

from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from addon.config.addresses import is_loopback
from addon.config.errors import ConfigError, Fault
from addon.config.settings import Settings
from cache.http.messages import host_port
from cache.http.origin_address import OriginAddress

OPTION = "--mode"


def edge_of(modes: Sequence[str]) -> str | None:
    """Return the origin as the setting `edge` has it, if the only mode is a reverse proxy for HTTP; None otherwise."""
    if len(modes) != 1:
        return None
    mode = _parsed(modes[0])
    if not isinstance(mode, ReverseMode) or mode.scheme not in ("http", "https"):
        return None
    return f"{mode.scheme}://{host_port(*mode.address)}"


def refuse_modes(modes: Sequence[str], settings: Settings) -> None:
    """Raise ConfigError for a mode that would listen for others, or for other targets, than the settings allow."""
    refuse_sites(settings)
    for name in modes:
        host = _parsed(name).listen_host(settings.address[0])
        if is_loopback(settings.address[0]) and not is_loopback(host):
            problem = f'other machines can reach "{host}", expected that "listen" ({settings.listen}) allows it, too'
            raise ConfigError(Fault(f"{OPTION} {name}", "", problem))
    if settings.edge and modes and edge_of(modes) != settings.edge:
        problem = f'found {" and ".join(modes)}, expected no other mode while "edge" is set ({settings.edge})'
        raise ConfigError(Fault(OPTION, "", problem))


def refuse_sites(settings: Settings) -> None:
    """Raise ConfigError if there are sites: a reverse proxy of mitmproxy has one origin."""
    if settings.site:
        problem = "found [[site]], expected `edge`: with scripts, modes or --no-door, an edge has one origin"
        raise ConfigError(Fault("settings", "site", problem))
    if settings.edge and (address := OriginAddress.of(settings.edge)) and (address.socket or address.prefix):
        problem = f'found "{settings.edge}", expected a URL without a path: mitmproxy has no other origins'
        raise ConfigError(Fault("settings", "edge", problem))


def _parsed(mode: str) -> ProxyMode:
    try:
        return ProxyMode.parse(mode)
    except ValueError as error:
        raise ConfigError(Fault(OPTION, "", f'found "{mode}", expected a mode of mitmproxy: {error}')) from None
