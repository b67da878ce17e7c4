"""TLS contexts for intercepted hosts: their certificates are signed by the proxy's CA, and their number is limited."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from addon.frontend import leaf_certificates
from tests.addon.frontend.front_end import client_tls, leaf_contexts


def contexts(*names: str) -> list[ssl.SSLContext]:
    async def make() -> list[ssl.SSLContext]:
        return [await leaf_contexts().context(name) for name in names]

    return asyncio.run(make())


def handshake(context: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Make a TLS handshake in memory; return the client's side.

    Raises ssl.SSLError if the client does not accept the certificate for this name.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_tls("h2", "http/1.1").wrap_bio(to_client, to_server, server_hostname=name)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    waiting = {client, server}
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                pass
    return client


@pytest.mark.parametrize("name", ["a.example", "127.0.0.1", "::1", "b\xfccher.example", "a" * 63 + ".example"])
def test_a_client_that_trusts_the_ca_accepts_the_certificate(name: str) -> None:
    (context,) = contexts(name)
    assert handshake(context, name).selected_alpn_protocol() == "h2"


def test_a_certificate_is_for_one_name() -> None:
    (context,) = contexts("a.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(context, "b.example")


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "", "a..example"])
def test_a_name_that_no_certificate_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"length|label"):
        contexts(name)


def test_the_same_name_gets_the_same_context() -> None:
    one, two, other = contexts("a.example", "a.example", "c.example")
    assert one is two
    assert one is not other


def test_the_least_recently_used_context_is_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaf_certificates, "KEPT", 3)
    leaf_contexts()._contexts.clear()
    contexts("a.example", "b.example", "c.example", "a.example", "d.example")
    assert list(leaf_contexts()._contexts) == ["c.example", "a.example", "d.example"]
