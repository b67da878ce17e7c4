"""The lines that tell people where the proxy listens, and where its copies are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from addon.config.settings import Settings
from addon.config.site import SiteSettings
from addon.pipeline.store_condition import StoreState
from addon.programs.run.private_proxy import Places
from addon.runtime.listen_address import proxy_url
from addon.serve.messages import print_line
from addon.service import Service
from cache.http.host_table import ANY_HOST, WILDCARD
from cache.http.messages import host_port
from cache.stores.base import StoreError
from cache.stores.memory import MemoryStore

SCHEMES = {"regular": "http", "upstream": "http", "reverse": "http", "socks5": "socks5h"}
"""The scheme of the proxy's address for clients, by the mode of mitmproxy. The other modes have no such address."""


def announce(settings: Settings, store: str, modes: Sequence[str], host: str, port: int) -> None:
    """Print where the proxy listens and, with `store`, where its copies are."""
    first, shown = _kind(modes[0]) if modes else "regular", host_port(host, port)
    scheme = SCHEMES.get(first)
    print_line(f"secondhand listens on {f'{scheme}://' if scheme else ''}{shown if port else modes[0]}")
    for mode in modes[1:]:
        print_line(f"it also listens in the mode {mode}")
    if settings.listen_tls:
        print_line(f"it also listens on https://{settings.listen_tls}")
    print_line(f"its copies are in {store}")
    if settings.admin.place:
        token = settings.admin.token(settings.store.directory)
        print_line(f"its admin API is at {settings.admin.place}, the token in {token}")
    if settings.is_edge or first == "reverse":
        header = "--haproxy-protocol " if settings.proxy_protocol else ""  # without it, the connection is closed
        print_line(f"try it twice: curl -i {header}{host_option(settings.sites)}{proxy_url(host, port)}/")
    elif scheme:
        print_line(f"try it twice: curl -i -x {proxy_url(host, port, scheme)} http://example.org/")


def announce_to_parent(settings: Settings, service: Service, port: int) -> None:
    """Tell the parent process where its private proxy is. Raises StoreError if it could not be told anything else."""
    if service.control_socket is None:
        problem = service.store_problem or "no socket can be made in it"
        raise StoreError(f"the store's directory {settings.store.directory} cannot be used: {problem}")
    places = Places(port, service.control_socket, settings.store.directory, settings.ca_directory)
    print_line(places.as_line())


def host_option(sites: Sequence[SiteSettings]) -> str:
    """Return the option by which curl asks an edge for the first host of its sites."""
    first = sites[0].hosts[0].replace(WILDCARD, f"www{WILDCARD[1:]}") if sites else ANY_HOST
    return "" if first == ANY_HOST else f"-H 'Host: {first}' "


def _kind(mode: str) -> str:
    """Return the name of one of mitmproxy's modes, without its address."""
    return re.split("[:@]", mode)[0]


def store_place(settings: Settings, service: Service) -> str:
    """Return where the stored responses are, in words."""
    if problem := service.store_problem:
        return f"no store: {problem}; responses are passed on and not stored"
    if settings.store.kind == "redis":
        condition = service.own_store.condition
        note = "" if condition.state is StoreState.OPEN else f"; {condition.reason}; until it can, they are in memory"
        return f"the shared store at {settings.store.address}{note}"
    return "memory, until it stops" if isinstance(service.store, MemoryStore) else str(settings.store.directory)
