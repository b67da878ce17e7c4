"""While everything is offline, mitmproxy must not need an origin before it has a request.

In the modes that know their origin in advance (reverse, transparent, SOCKS), an eager mitmproxy closes a client's
connection if it cannot connect to the origin first. So it is lazy as long as no origin may be asked.
"""

from __future__ import annotations

from mitmproxy import ctx

from addon.frontend.mitm.options import is_on
from addon.pipeline.active_pipeline import ActivePipeline
from cache.policy.operator_rules import Mode

EAGER, LAZY = "eager", "lazy"
"""Values of mitmproxy's option connection_strategy."""


class EagerConnections:
    """Sets mitmproxy's connection strategy to lazy while everything is offline, and back afterwards."""

    def __init__(self, active: ActivePipeline) -> None:
        """Begin with the present mode."""
        self._active = active
        self._suspended = False
        self.adapt()

    def adapt(self) -> None:
        """Set the strategy that fits the present mode."""
        policy = self._active.policy
        replays = policy.recording is not None and policy.recording.is_replay
        is_offline = is_on() and (replays or policy.network.mode in (Mode.OFFLINE, Mode.REPLAY))
        if is_offline and ctx.options.connection_strategy == EAGER:
            self._suspended = True
            ctx.options.update(connection_strategy=LAZY)
        elif not is_offline and self._suspended:
            self._suspended = False
            ctx.options.update(connection_strategy=EAGER)
