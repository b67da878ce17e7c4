"""The modes of a running proxy: who is asked, changed while it runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from addon.config.cache import HostMode
from addon.origin import OriginOptions
from addon.origin.proxy import UpstreamProxies
from addon.origin.reachability import Reachability
from cache.policy.cache_policy import CachePolicy
from cache.policy.rules import Mode, glob

SWITCHABLE = (Mode.ONLINE, Mode.AUTO, Mode.OFFLINE)
"""What can be had without a recording."""

_NO_HOST = re.compile(r"[/\s]|^[^:]*:\d*$")
"""What a URL, a port and a slip of the keyboard have, and no host."""


async def _nothing() -> None:
    pass


class Modes:
    """Changes a running proxy's policy: as people say, and as hosts can be reached or not."""

    def __init__(
        self,
        policy: Callable[[], CachePolicy],
        go_by: Callable[[CachePolicy], None],
        options: OriginOptions,
        hosts: Sequence[HostMode] = (),
        end_replay: Callable[[], Awaitable[object]] = _nothing,
    ) -> None:
        """Begin with the modes of the settings.

        Args:
            policy: Returns the policy that holds.
            go_by: Makes another one hold.
            options: How origins are reached.
            hosts: The settings' modes of single hosts, as `policy` has them too.
            end_replay: Ends a replay: that is a mode too, and another one is wanted.

        Raises:
            ValueError: the upstream proxy's URL is of no use.
        """
        self._policy = policy
        self._go_by = go_by
        self._hosts = tuple(hosts)
        self._end_replay = end_replay
        self._backend = options.backend
        self._connect_timeout = options.connect_timeout
        self._proxies = UpstreamProxies(options.proxy, options.own_addresses)
        self.reachability = Reachability(
            self._probe, lambda hosts: go_by(replace(policy(), network=replace(policy().network, unreachable=hosts)))
        )

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Switch everything, or one host, to a mode; without arguments just tell. Raises ValueError."""
        match dict(arguments):
            case {"mode": str(name), "host": str(host)}:
                switched = HostMode(host=_host(host), mode=_mode(name))
                if recording := self._replayed():
                    raise ValueError(f"{recording} is replayed, for every host: secondhand replay --stop ends it")
                self._switch(self._policy().network.mode, (switched, *self._but(host)))
            case {"mode": str(name)}:
                mode = _mode(name)
                if self._replayed():
                    await self._end_replay()
                self._switch(mode, ())
            case empty if not empty:
                pass
            case _:
                raise ValueError('expected "mode", "mode" and "host", or nothing')
        policy, replayed = self._policy(), self._replayed()
        return {
            "mode": Mode.REPLAY if replayed else policy.network.mode,
            "recording": policy.recording.name if policy.recording else None,
            "hosts": {} if replayed else {each.host: each.mode for each in self._hosts},
            "unreachable": sorted(self.reachability.unreachable),
        }

    def _replayed(self) -> str:
        """Return the name of the recording that is being replayed, or an empty string."""
        recording = self._policy().recording
        return recording.name if recording and recording.is_replay else ""

    def _but(self, host: str) -> tuple[HostMode, ...]:
        return tuple(each for each in self._hosts if each.host.lower() != host.lower())

    def _switch(self, mode: Mode, hosts: tuple[HostMode, ...]) -> None:
        self.reachability.forget()  # offline, not even a probe goes out
        self._hosts = hosts
        patterns = tuple((glob(each.host), each.mode) for each in hosts)
        self._go_by(replace(self._policy(), network=replace(self._policy().network, mode=mode, host_modes=patterns)))

    async def _probe(self, scheme: str, host: str, port: int) -> None:
        """Connect to where requests for an origin go first. Raises OSError where that fails."""
        route = self._proxies.route(*(self._backend or (scheme, host, port)))
        async with asyncio.timeout(self._connect_timeout):  # a TimeoutError is an OSError
            _, writer = await asyncio.open_connection(*route.first_hop)
        writer.close()

    async def close(self) -> None:
        """Stop probing."""
        await self.reachability.close()


def _host(name: str) -> str:
    # else a URL would be taken, match nothing, and its host would go on being asked
    if _NO_HOST.search(name):
        raise ValueError(f'expected the name of a host, or a pattern with * and ?, found "{name}"')
    return name


def _mode(name: str) -> Mode:
    if name not in SWITCHABLE:
        raise ValueError(f'expected one of {", ".join(SWITCHABLE)}, found "{name}"')
    return Mode(name)
