"""Whether a peer ended a connection in order, or the connection just broke."""

from __future__ import annotations

import asyncio
import ssl


def ended_in_order(transport: asyncio.Transport) -> bool:
    """Tell, when the end was received, whether the peer meant it: over TLS it then sent close_notify."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        return bool(tls.read(1) == b"")
    except ssl.SSLError:  # RFC 8446 §6.1: without close_notify; asyncio reports that as an end all the same
        return False
