"""The hosts that a person has chosen: a host or a pattern with * and ?, with any port or with one port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cache.http.messages import DEFAULT_PORTS, normalised_host

_WITH_PORT = re.compile(r"(?P<host>[^:]*|\[[^\]]*\]):(?P<port>[0-9]{1,5})")
_IPV6 = re.compile(r"\[(?P<address>[0-9a-f.]*:[0-9a-f:.]*)\]")
"""Brackets with a colon in them: other brackets are a set of characters in a pattern."""


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Hosts. Make it with `host_filter`."""

    host: str
    """A host as `normalised_host` returns it, without brackets; or a pattern."""
    port: int | None = None
    """The only port; None for any port."""

    def fits(self, host: str, port: int | None) -> bool:
        """Return whether a host, in lower case and without brackets, and its port are chosen."""
        return fnmatchcase(host, self.host) and self.port in (None, port)

    def fits_url(self, url: str) -> bool:
        """Return whether the host of a URL is chosen, and its port, which is the usual one if the URL names none."""
        scheme, _, rest = url.partition("://")
        host, port = host_and_port(rest.partition("/")[0])
        return self.fits(host, port or DEFAULT_PORTS.get(scheme))


def host_filter(text: str) -> HostFilter:
    """Return the filter for `host`, `host:port`, or a pattern in the place of the host."""
    return HostFilter(*host_and_port(text))


def host_and_port(text: str) -> tuple[str, int | None]:
    """Return the host, in lower case and without brackets, and the port, or None if the text has no port."""
    found = _WITH_PORT.fullmatch(text)
    host, port = (found["host"], int(found["port"])) if found else (text, None)
    host = normalised_host(host)
    return (address["address"] if (address := _IPV6.fullmatch(host)) else host), port
