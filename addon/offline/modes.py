"""The control command `mode`: switches a running proxy, or single hosts, between online, auto and offline."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from addon.config.cache import CacheSettings, HostMode
from addon.origin.reachability import Reachability
from addon.pipeline.active_pipeline import ActivePipeline
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import ANYTHING, Mode, glob

SWITCHABLE = (Mode.ONLINE, Mode.AUTO, Mode.OFFLINE)
"""The modes that this command sets; a replay is started by another one."""

_NOT_A_HOST = re.compile(r"[/\s]|^[^:]*:\d*$")
"""Found in URLs, in `host:port` and in typing errors, never in a host name."""


def mode_with_network(cache: CacheSettings) -> Mode:
    """Return the mode to switch an offline proxy to: that of the settings, or auto if that asks no origin."""
    return Mode.ONLINE if cache.mode is Mode.ONLINE else Mode.AUTO


def without_origins(policy: CachePolicy) -> CachePolicy:
    """Return the policy for the question how the store alone would answer."""
    return replace(policy, network=replace(policy.network, offline=True))


def check_that_origins_are_asked(policy: CachePolicy) -> None:
    """Raise ValueError, with the command that changes it, if a policy lets no origin be asked."""
    if policy.recording and policy.recording.is_replay:
        name = policy.recording.name
        raise ValueError(f"{name} is being replayed, so no origin is asked; end that with: secondhand replay --stop")
    if policy.network.offline or policy.network.mode is Mode.OFFLINE:
        raise ValueError("the proxy is offline, so no origin is asked; change that with: secondhand auto")


class Modes:
    """Changes the modes of the active pipeline's policy."""

    def __init__(
        self,
        active: ActivePipeline,
        reachability: Reachability,
        end_replay: Callable[[], Awaitable[object]],
        hosts: Sequence[HostMode] = (),
    ) -> None:
        """Start with the modes of the settings.

        Args:
            active: The pipeline whose policy is changed.
            reachability: The origins that are left alone; those of hosts whose mode is switched are tried again.
            end_replay: Ends a replay, which is a mode too.
            hosts: The modes of single hosts in the settings; the policy has them already.
        """
        self._active = active
        self._reachability = reachability
        self._end_replay = end_replay
        self._hosts = tuple(hosts)

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Switch all hosts, or one, to a mode; return the modes. Without arguments only return them.

        Raises:
            ValueError: an argument is invalid, or a recording is being replayed.
        """
        match dict(arguments):
            case {"mode": str(name), "host": str(host)}:
                switched = HostMode(host=_checked_host(host), mode=_checked_mode(name))
                if recording := self.replayed():
                    raise ValueError(
                        f"{recording} is being replayed, for all hosts; end the replay with: secondhand replay --stop"
                    )
                others = tuple(each for each in self._hosts if each.host.lower() != host.lower())
                self._switch(self._active.policy.network.mode, (switched, *others), glob(host))
            case {"mode": str(name)}:
                mode = _checked_mode(name)
                if self.replayed():
                    await self._end_replay()
                self._switch(mode, ())
            case empty if not empty:
                pass
            case _:
                raise ValueError('expected "mode", "mode" and "host", or nothing')
        return self.described()

    def described(self) -> dict[str, object]:
        """Return the modes, as the command does."""
        policy, replayed = self._active.policy, self.replayed()
        return {
            "mode": Mode.REPLAY if replayed else policy.network.mode,
            "recording": policy.recording.name if policy.recording else None,
            "hosts": {} if replayed else {each.host: each.mode for each in self._hosts},
            "unreachable": sorted(self._reachability.unreachable),
            "failing": {
                origin: {"at": failure.at, "error": failure.error, "sentence": failure.sentence}
                for origin, failure in self._reachability.failing.items()
            },
        }

    def switch_all(self, mode: Mode) -> None:
        """Switch all hosts to a mode. A replay goes on, since it is a mode of its own."""
        self._switch(mode, ())

    def reload(self, old: CacheSettings, new: CacheSettings) -> None:
        """Switch to the modes of new settings if these differ from the old ones; else those set by commands stay."""
        if (old.mode, old.modes) != (new.mode, new.modes):
            self._switch(new.mode, new.modes)

    def replayed(self) -> str:
        """Return the name of the recording that is being replayed, or an empty string."""
        recording = self._active.policy.recording
        return recording.name if recording and recording.is_replay else ""

    def _switch(self, mode: Mode, hosts: tuple[HostMode, ...], switched: re.Pattern[str] = ANYTHING) -> None:
        self._reachability.try_again(switched)  # the operator knows more of the network than old failures
        self._hosts = hosts
        patterns = tuple((glob(each.host), each.mode) for each in hosts)
        self._active.set_policies(
            lambda policy: replace(policy, network=replace(policy.network, mode=mode, host_modes=patterns))
        )


def _checked_host(name: str) -> str:
    # a URL would match no host, and its host would still be asked
    if _NOT_A_HOST.search(name):
        raise ValueError(f'expected the name of a host, or a pattern with * and ?, found "{name}"')
    return name


def _checked_mode(name: str) -> Mode:
    if name not in SWITCHABLE:
        raise ValueError(f'expected one of {", ".join(SWITCHABLE)}, found "{name}"')
    return Mode(name)
