"""The modes of a running proxy: who is asked, changed while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from addon.cache_section import HostMode
from addon.links import Links
from addon.origin import OriginOptions
from addon.origin.proxy import UpstreamProxies
from cache.policy import CachePolicy, Mode, glob


class Modes:
    """Changes a running proxy's policy: as people say, and as hosts can be reached or not."""

    def __init__(
        self,
        policy: Callable[[], CachePolicy],
        go_by: Callable[[CachePolicy], None],
        options: OriginOptions,
        hosts: Sequence[HostMode] = (),
    ) -> None:
        """Begin with the modes of the settings.

        Args:
            policy: Returns the policy that holds.
            go_by: Makes another one hold.
            options: How origins are reached.
            hosts: The settings' modes of single hosts, as `policy` has them too.

        Raises:
            ValueError: the upstream proxy's URL is of no use.
        """
        self._policy = policy
        self._go_by = go_by
        self._hosts = tuple(hosts)
        self._backend = options.backend
        self._connect_timeout = options.connect_timeout
        self._proxies = UpstreamProxies(options.proxy)
        self.links = Links(self._probe, lambda hosts: go_by(replace(policy(), unreachable=hosts)))

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Switch everything, or one host, to a mode; without arguments just tell. Raises ValueError."""
        match dict(arguments):
            case {"mode": str(name), "host": str(host)}:
                self._switch(self._policy().mode, (HostMode(host=host, mode=_mode(name)), *self._but(host)))
            case {"mode": str(name)}:
                self._switch(_mode(name), ())
            case empty if not empty:
                pass
            case _:
                raise ValueError('expected "mode", "mode" and "host", or nothing')
        return {
            "mode": self._policy().mode,
            "hosts": {each.host: each.mode for each in self._hosts},
            "unreachable": sorted(self.links.unreachable),
        }

    def _but(self, host: str) -> tuple[HostMode, ...]:
        return tuple(each for each in self._hosts if each.host.lower() != host.lower())

    def _switch(self, mode: Mode, hosts: tuple[HostMode, ...]) -> None:
        self.links.forget()  # offline, not even a probe goes out
        self._hosts = hosts
        patterns = tuple((glob(each.host), each.mode) for each in hosts)
        self._go_by(replace(self._policy(), mode=mode, host_modes=patterns))

    async def _probe(self, scheme: str, host: str, port: int) -> None:
        """Connect to where requests for an origin go first. Raises OSError where that fails."""
        route = self._proxies.route(*(self._backend or (scheme, host, port)))
        async with asyncio.timeout(self._connect_timeout):  # a TimeoutError is an OSError
            _, writer = await asyncio.open_connection(*route.first_hop)
        writer.close()

    async def close(self) -> None:
        """Stop probing."""
        await self.links.close()


def _mode(name: str) -> Mode:
    try:
        return Mode(name)
    except ValueError:
        raise ValueError(f'expected one of {", ".join(Mode)}, found "{name}"') from None
