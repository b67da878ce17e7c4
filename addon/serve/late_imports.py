"""Modules that are imported after the start, since they take longer than the rest of it and are not needed to listen.

The functions that use them import them. This imports them before: for worker processes, which then share their memory,
and for a proxy that lasts, so that its first client does not wait.
"""

from __future__ import annotations

import gc
from importlib import import_module

MODULES = ("mitmproxy.certs", "mitmproxy.proxy.layers.tls", "addon.origin.name_servers")


def import_late_modules() -> None:
    """Import all of them; may be called on any thread."""
    for module in MODULES:
        import_module(module)
    gc.freeze()  # as tune_garbage_collector of process_limits.py does with the other modules
