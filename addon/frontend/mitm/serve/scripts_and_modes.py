"""The scripts and modes for which `serve` has mitmproxy listen; apart, since mitmproxy is slow to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScriptsAndModes:
    """Scripts and modes of a mitmproxy that listens."""

    scripts: Sequence[str] = ()
    """Files of other mitmproxy addons."""
    modes: Sequence[str] = ()
    """Modes as mitmproxy writes them, like `socks5`; by default the one that the settings name."""

    @property
    def use_listen(self) -> bool:
        """True if mitmproxy listens where the setting `listen` says: unless each mode names a place of its own."""
        return not self.modes or any("@" not in mode for mode in self.modes)
