"""A server name that is no text ends the handshake, and clients cannot fill the log with it."""

from __future__ import annotations

import logging
import ssl
import sys
from contextlib import suppress

import pytest

from addon.frontend.gateway.certificates import Certificates
from addon.frontend.gateway.unreadable_names import log_unreadable_names


def test_it_is_one_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    log_unreadable_names()
    hello = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="a.example").do_handshake()
    received = ssl.MemoryBIO()
    received.write(hello.read().replace(b"a.example", b"\xff.example"))
    context = Certificates().entrance
    context.sni_callback = lambda *_: None
    with caplog.at_level(logging.INFO), pytest.raises(ssl.SSLError, match="CALLBACK_FAILED"):
        context.wrap_bio(received, ssl.MemoryBIO(), server_side=True).do_handshake()
    assert caplog.messages == ["a client failed at TLS: its server name is no text"]
    assert capsys.readouterr().err == ""
