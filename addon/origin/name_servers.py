"""The name servers of /etc/resolv.conf, and the questions to them (DNS).

dnspython makes and reads the messages, applies the search domains, and goes from one server to the next. It is used
rather than c-ares, because c-ares keeps answers in a cache that its Python binding cannot turn off, so that a name
which a VPN or a container has moved would be wrong for up to an hour. See docs/decisions.md.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.inet
import dns.message
import dns.nameserver
import dns.rcode
import dns.resolver

from addon.origin.dns_answer import Answer
from addon.origin.watched_file import WatchedFile

TRY_TIMEOUT = 1.5
"""Seconds that a name server may take to answer before the next one is asked."""

_REMEMBER_SILENCE = 30.0
"""Seconds for which a name server that did not answer is asked only after the others."""

_IPV6_DELAY = 0.05
"""Seconds to wait for the IPv6 addresses once the IPv4 addresses are there (RFC 8305 §3)."""

_MAX_SERVERS = 3
"""The first name servers of resolv.conf that are used, as in resolv.conf(5)."""


class NameServers:
    """Asks the name servers of a file in the format of resolv.conf(5), which is read again when it has changed."""

    def __init__(self, path: Path = Path("/etc/resolv.conf"), servers: Sequence[tuple[str, int]] = ()) -> None:
        """Use the name servers of `path`, or these ones, given by address and port, with the options of `path`."""
        self._file = WatchedFile(path)
        self._given = [_NameServer(*server) for server in servers]
        self._servers: list[_NameServer] = []
        self._resolver = dns.asyncresolver.Resolver(configure=False)

    def changed(self) -> bool:
        """Return whether the file has changed since the last call. If so, the new name servers are used from now on."""
        if not self._file.changed():
            return False
        text = self._file.text()
        resolver = dns.asyncresolver.Resolver(configure=False)
        with suppress(dns.exception.DNSException, ValueError):  # about its name servers; the rest has been read
            resolver.read_resolv_conf(StringIO(text))
        resolver.timeout = min(resolver.timeout, TRY_TIMEOUT)
        resolver.cache = None
        self._resolver = resolver
        self._servers = self._given or [_NameServer(address) for address in _listed_servers(text)]
        return True

    def __str__(self) -> str:
        """Return the addresses of the name servers, for messages."""
        return " or ".join(map(str, self._servers))

    async def ask(self, name: str, seconds: float) -> Answer:
        """Ask for the addresses of a name, for at most so many seconds."""
        self._resolver.nameservers = [*sorted(self._servers, key=_NameServer.was_silent)]
        ipv6_question = asyncio.create_task(self._query(name, "AAAA", seconds))
        try:
            ipv4 = await self._query(name, "A", seconds)
            if ipv4.rcode == "NXDOMAIN":  # RFC 8020: there is nothing of any type
                return ipv4
            # a server that drops questions for IPv6 must not delay a name that has IPv4
            await asyncio.wait([ipv6_question], timeout=_IPV6_DELAY if ipv4.addresses else None)
            return _both(ipv4, ipv6_question.result() if ipv6_question.done() else Answer())
        finally:
            ipv6_question.cancel()

    async def _query(self, name: str, kind: str, seconds: float) -> Answer:
        """Return the addresses of one kind, A or AAAA."""
        servers, resolver = f"the name server {self}", self._resolver
        try:
            async with asyncio.timeout(seconds):  # dnspython may pause for two seconds more
                found = await resolver.resolve(name, kind, raise_on_no_answer=False, search=True, lifetime=seconds)
        except dns.resolver.NXDOMAIN:
            problem = f"{servers} says that there is no such name (NXDOMAIN)"
            return Answer(problem=problem, rcode="NXDOMAIN", not_found=True)
        except dns.resolver.LifetimeTimeout as error:
            return Answer(problem=_complaints(error.kwargs["errors"], seconds), timed_out=True)
        except TimeoutError:
            return Answer(problem=f"{servers} did not answer within {seconds:g} seconds", timed_out=True)
        except dns.resolver.NoNameservers as error:
            errors: list[dns.resolver.ErrorTuple] = error.kwargs["errors"]
            rcode = next((dns.rcode.to_text(response.rcode()) for *_, response in reversed(errors) if response), "")
            return Answer(problem=_complaints(errors, seconds), rcode=rcode)
        except (dns.exception.DNSException, UnicodeError) as error:
            return Answer(problem=f"it is not a valid name ({error})")
        if found.rrset is None:
            problem = f"{servers} says that this name has no address"
            return Answer(problem=problem, rcode="NOERROR", not_found=True)
        return Answer(tuple(record.address for record in found.rrset), found.chaining_result.minimum_ttl)


class _NameServer(dns.nameserver.Do53Nameserver):
    """A name server that is asked through a connected socket: so the answer "nothing listens here" is received."""

    def __init__(self, address: str, port: int = 53) -> None:
        super().__init__(address, port)
        self._silent_at = self._answered_at = -math.inf

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address} port {self.port}"

    def was_silent(self) -> bool:
        """Return whether it did not answer a short time ago."""
        return time.monotonic() - self._silent_at < _REMEMBER_SILENCE

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,  # noqa: ASYNC109 - the name is dnspython's
        source: str | None,  # noqa: ARG002 - dnspython's
        source_port: int,  # noqa: ARG002 - dnspython's
        max_size: bool,
        backend: Any,  # dnspython exports no type of it
        one_rr_per_rrset: bool = False,  # noqa: ARG002 - dnspython's
        ignore_trailing: bool = False,  # noqa: ARG002 - dnspython's
    ) -> dns.message.Message:
        began = time.monotonic()
        try:
            if max_size:
                response = await dns.asyncquery.tcp(request, self.address, timeout, self.port, backend=backend)
            else:
                response = await self._by_datagram(request, timeout, backend)
        except (OSError, EOFError, dns.exception.Timeout):
            if self._answered_at < began:  # it may drop the questions for one name, and answer those for others
                self._silent_at = time.monotonic()
            raise
        self._answered_at, self._silent_at = time.monotonic(), -math.inf
        return response

    async def _by_datagram(
        self, request: dns.message.QueryMessage, seconds: float, backend: Any
    ) -> dns.message.Message:
        family = dns.inet.af_for_address(self.address)
        destination = dns.inet.low_level_address_tuple((self.address, self.port), family)
        async with await backend.make_socket(family, socket.SOCK_DGRAM, 0, None, destination) as connected:
            return await dns.asyncquery.udp(
                request,
                self.address,
                seconds,
                self.port,
                sock=connected,
                ignore_unexpected=True,
                raise_on_truncation=True,
                ignore_errors=True,
            )


def _both(ipv4: Answer, ipv6: Answer) -> Answer:
    found = [answer for answer in (ipv6, ipv4) if answer.addresses]
    if not found:
        return ipv6 if ipv4.not_found and not ipv6.not_found else ipv4
    return Answer(ipv6.addresses + ipv4.addresses, min(answer.ttl for answer in found))


def _complaints(errors: list[dns.resolver.ErrorTuple], seconds: float) -> str:
    """Return what is wrong with each name server, by its last error."""
    last = {server: _complaint(error, seconds) for server, _, _, error, _ in errors}
    return "; ".join(f"the name server {server} {complaint}" for server, complaint in last.items())


def _complaint(error: Exception | str, seconds: float) -> str:
    match error:
        case str():
            return f"answered {error}"
        case dns.exception.Timeout():
            return f"did not answer within {seconds:g} seconds"
        case ConnectionRefusedError():
            return "does not run"
        case OSError():
            return f"could not be reached ({error.strerror or error})"
    return "sent a malformed answer"


def _listed_servers(text: str) -> list[str]:
    """Return the addresses of the name servers in the text of a resolv.conf."""
    entries = [line.split() for line in text.splitlines()]
    servers = [entry[1] for entry in entries if entry[:1] == ["nameserver"] and len(entry) > 1]
    return [server for server in servers if dns.inet.is_address(server)][:_MAX_SERVERS] or ["127.0.0.1"]
