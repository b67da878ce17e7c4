"""The certificates of an edge when their files change: the new one is used soon, and no handshake fails meanwhile."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from addon.config.certificate_files import SOON, CertificateFiles
from addon.config.settings import Settings
from addon.config.site_tls import CertificatePair
from addon.frontend.gateway import certificates
from addon.frontend.gateway.certificates import Certificates
from addon.frontend.gateway.server_contexts import load
from addon.frontend.gateway.site_tls import CHECK_EVERY, REMIND_EVERY, SiteTls
from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest
from tests.addon.frontend.gateway.secure_sites import host_and_path, sites
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.site_certificates import SiteCertificate, site_certificate, trusting
from tests.fixtures.throwaway_ca import ThrowawayCA


@pytest.fixture
def ca(tmp_path: Path) -> ThrowawayCA:
    return ThrowawayCA(tmp_path, "site-ca")


async def serial_of(edge: FrontEndUnderTest, ca: ThrowawayCA) -> int:
    """Return the serial number of the certificate that a new client is shown."""
    client = await edge.secure_client(trusting(ca), "a.example")
    number = int(client.writer.get_extra_info("peercert")["serialNumber"], 16)
    client.disconnect()
    return number


def pass_seconds(edge: FrontEndUnderTest, seconds: int = CHECK_EVERY) -> None:
    assert edge.tls
    for _ in range(seconds):
        edge.tls.second_passed()


def test_a_replaced_certificate_is_used_soon_and_open_connections_stay(ca: ThrowawayCA, tmp_path: Path) -> None:
    used = site_certificate(ca, tmp_path, "a.example")
    new = site_certificate(ca, tmp_path / "new", "a.example")
    before = used.serial()

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = await edge.secure_client(trusting(ca), "a.example")
        assert await serial_of(edge, ca) == before
        new.put_in_place_of(used)
        pass_seconds(edge)
        assert await serial_of(edge, ca) == new.serial()
        assert (await client.fetch(ask("a.example"))).status == 200

    run_edge(conversation, sites([(["a.example"], used)]), host_and_path)


def test_a_symbolic_link_that_is_switched_is_followed(ca: ThrowawayCA, tmp_path: Path) -> None:
    old, new = (site_certificate(ca, tmp_path / folder, "a.example") for folder in ("1", "2"))
    live = SiteCertificate(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    live.cert.symlink_to(old.cert)
    live.key.symlink_to(old.key)

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        assert await serial_of(edge, ca) == old.serial()
        for link, target in ((live.key, new.key), (live.cert, new.cert)):
            pass_seconds(edge)
            assert await serial_of(edge, ca) == old.serial()
            link.unlink()
            link.symlink_to(target)
        pass_seconds(edge)
        assert await serial_of(edge, ca) == new.serial()

    run_edge(conversation, sites([(["a.example"], live)]), host_and_path)


@pytest.mark.parametrize("broken", ["not PEM", ""])
def test_a_pair_that_cannot_be_used_is_reported_once_and_the_old_one_stays(
    broken: str, ca: ThrowawayCA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    used, other = (
        site_certificate(ca, tmp_path, "a.example", days=90),
        site_certificate(ca, tmp_path / "2", "a.example"),
    )
    before = used.serial()

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        used.key.write_bytes(other.key.read_bytes())
        pass_seconds(edge)
        assert not caplog.messages  # at the first look the files may just be changing
        pass_seconds(edge, 4 * CHECK_EVERY)
        assert await serial_of(edge, ca) == before
        [message] = caplog.messages
        assert message == (
            f'the certificate in {used.cert} is used as it was before: found "{used.key}", expected the key of the'
            f" certificate in {used.cert}"
        )
        used.cert.write_text(broken)
        pass_seconds(edge, 4 * CHECK_EVERY)
        [_, message] = caplog.messages
        assert message.endswith(f'found "{used.cert}", expected a certificate in PEM')
        other.put_in_place_of(used)
        pass_seconds(edge)
        assert await serial_of(edge, ca) == other.serial()

    with caplog.at_level(logging.ERROR):
        run_edge(conversation, sites([(["a.example"], used)]), host_and_path)


def test_no_handshake_fails_while_files_are_replaced_in_both_orders(ca: ThrowawayCA, tmp_path: Path) -> None:
    used = site_certificate(ca, tmp_path, "a.example")
    pairs = [site_certificate(ca, tmp_path / folder, "a.example") for folder in ("1", "2")]
    serials = {used.serial(), *(pair.serial() for pair in pairs)}

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        seen = set()
        for number in range(50):
            steps = [(pairs[number % 2].cert, used.cert), (pairs[number % 2].key, used.key)]
            handshake = asyncio.create_task(serial_of(edge, ca))
            for new, old in steps if number % 4 < 2 else reversed(steps):
                old.write_bytes(new.read_bytes())
                pass_seconds(edge)
                await asyncio.sleep(0)
            seen.add(await handshake)
            assert await serial_of(edge, ca) == pairs[number % 2].serial()
        assert seen <= serials

    run_edge(conversation, sites([(["a.example"], used)]), host_and_path)


def test_each_pair_is_loaded_once_and_read_again_only_when_it_has_changed(
    ca: ThrowawayCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = [site_certificate(ca, tmp_path / folder, "a.example") for folder in ("1", "2")]
    pairs = [CertificatePair(**each.table) for each in used]
    loaded: list[CertificateFiles] = []

    def loading(certificate: CertificateFiles, context: ssl.SSLContext) -> None:
        loaded.append(certificate)
        load(certificate, context)

    monkeypatch.setattr(certificates, "load", loading)
    known = Certificates()
    known.read(pairs)
    assert [each.file for each in loaded] == [pair.cert_file for pair in pairs]
    assert not any(map(known.has_changed, pairs))
    site_certificate(ca, tmp_path / "3", "a.example").put_in_place_of(used[0])
    for _ in range(2):  # looking changes nothing
        assert [known.has_changed(pair) for pair in pairs] == [True, False]
    known.read(pairs)
    assert not any(map(known.has_changed, pairs))


def test_a_certificate_that_ends_soon_is_reported_once_a_day(
    ca: ThrowawayCA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = site_certificate(ca, tmp_path, "a.example", days=90)
    now = [CertificateFiles.read(CertificatePair(**certificate.table)).ends - SOON - 1]
    site = {"hosts": ["a.example"], "origins": ["http://127.0.0.1:1"], "tls": certificate.table}
    tls = SiteTls(Certificates(), Settings.model_validate({"site": [site]}).sites, 443, lambda: now[0])
    assert not caplog.messages
    for seconds in (2, 1, REMIND_EVERY, 1, SOON):
        now[0] += seconds
        tls.check()
    beginning = f"the certificate in {certificate.cert} "
    assert [message.removeprefix(beginning).split(" on ")[0] for message in caplog.messages] == [
        *("expires", "expires", "has expired")
    ]


@dataclass(frozen=True, slots=True)
class Session:
    """The result of a client's handshake, with the session that it can resume."""

    reused: bool
    session: ssl.SSLSession | None


def session_after_request(
    address: tuple[str, int], context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> Session:
    """Return the session after one request: with TLS 1.3, tickets come after the handshake."""
    with (
        socket.create_connection(address, timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="a.example", session=session) as secure,
    ):
        secure.sendall(ask("a.example"))
        secure.recv(1000)
        return Session(bool(secure.session_reused), secure.session)


def test_sessions_are_resumed_after_the_certificate_has_changed(ca: ThrowawayCA, tmp_path: Path) -> None:
    used, new = site_certificate(ca, tmp_path, "a.example"), site_certificate(ca, tmp_path / "2", "a.example")

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        assert edge.settings.tls_address
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(ca, version=version)
            session = await asyncio.to_thread(session_after_request, edge.settings.tls_address, context)
            assert not session.reused
            new.put_in_place_of(used)
            pass_seconds(edge)
            again = await asyncio.to_thread(session_after_request, edge.settings.tls_address, context, session.session)
            assert again.reused

    run_edge(conversation, sites([(["a.example"], used)]), host_and_path)
