"""The QR code for the page: with an address of the proxy that other devices can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from addon.config.addresses import UNSPECIFIED_ADDRESSES
from addon.frontend.set_up_page.code import Code, code_for_others


def set_up_code(status: Mapping[str, object], asked: str) -> dict[str, object]:
    """Return the code of the first address of the proxy that other devices can use, or None. An edge has none.

    Args:
        status: What the control command `status` returns.
        asked: The host by which a browser has reached the admin listener: on all addresses, the proxy has it, too.
    """
    code = None if status["sites"] else next(_codes(status["listen"], asked.strip("[]")), None)
    return {"code": asdict(code) if code else None}


def _codes(listen: object, asked: str) -> Iterator[Code]:
    for address in listen if isinstance(listen, list) else []:
        host, _, port = str(address).rpartition(":")
        host = host.strip("[]")
        reached = asked if host in UNSPECIFIED_ADDRESSES else host
        if reached and (code := code_for_others(host, reached, int(port))):
            yield code
