"""The client of a request to an edge: its address, and what the trusted proxies in front say about its request."""

from __future__ import annotations

from dataclasses import replace

from cache.http.record import record


@record
class Client:
    """A client, as far as it is known. None of this is part of a request's fields, nor of its key but for `scheme`."""

    address: str = ""
    """Its IP address; empty if it is not known, or if this proxy itself makes the request."""
    scheme: str = ""
    """`http` or `https`, as a trusted proxy received the request; empty if none says so."""
    forwarded_for: str = ""
    """X-Forwarded-For for the origin: the addresses of the client and of all proxies up to this one."""
    forwarded: str = ""
    """Forwarded for the origin (RFC 7239), without host and proto of the request to this proxy."""
    host: str = ""
    """X-Forwarded-Host of a trusted proxy."""
    port: str = ""
    """X-Forwarded-Port of a trusted proxy."""
    prefix: str = ""
    """X-Forwarded-Prefix of a trusted proxy."""
    authority: str = ""
    """The authority of the request's URL, if the origin gets another one as the Host."""
    told: tuple[str, ...] = ()
    """The values of `host` and `proto` in `forwarded`."""
    sends_x_fields: bool = True
    """The origin gets X-Forwarded-For and its like."""
    sends_forwarded: bool = True
    """The origin gets Forwarded."""

    @property
    def view(self) -> tuple[str, ...]:
        """Return what trusted proxies say about the request itself; empty if they say nothing."""
        said = (self.scheme, self.host, self.port, self.prefix, *self.told)
        return said if any(said) else ()

    def asking_for(self, authority: str, port: int) -> Client:
        """Return this client as that of a request for an authority, whatever Host the origin gets."""
        return replace(self, authority=authority, port=self.port or str(port))

    def unnamed(self) -> Client:
        """Return this client without addresses, for a request that this proxy makes itself."""
        # what Forwarded says about the request cannot be told apart from its addresses
        return replace(self, address="", forwarded_for="", forwarded=self.forwarded if self.told else "")


NOBODY = Client()
"""The client of a request that this proxy makes itself."""
