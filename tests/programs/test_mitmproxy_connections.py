"""mitmproxy's options for connections and its modes do the same with the cache as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_cases import Case, compare, settings, some_hits
from tests.programs.mitmproxy_runs import Ask, Mitmdump, Seen, Way

FEW = (Ask("/text"), Ask("/text"), Ask("/page"), Ask("/form", "POST", content=b"a=1"))


def _no_flows(seen: Seen) -> bool:
    return not seen.flows and len(seen.origin) == len(FEW)


def _refused(seen: Seen) -> bool:
    return not seen.origin and all(got.status in (0, 502) for got in seen.client)


def _served(seen: Seen) -> bool:
    return len(seen.origin) == len(FEW) - 1 and some_hits(Seen(seen.client * 2, [], [], ""))


TLS = (
    Case("ignore_hosts", settings("ignore_hosts=localhost"), _no_flows, FEW),
    Case("show_ignored_hosts", settings("ignore_hosts=localhost", "show_ignored_hosts=true"), _no_flows, FEW),
    Case("allow_hosts", settings("allow_hosts=elsewhere"), _no_flows, FEW),
    Case("tcp_hosts", settings("tcp_hosts=localhost"), _no_flows, FEW),
    Case(
        "ciphers_server, tls_ecdh_curve_server and ssl_verify_upstream_trusted_confdir",
        settings(
            "ciphers_server=ECDHE-ECDSA-AES128-GCM-SHA256",
            "tls_ecdh_curve_server=secp384r1",
            "ssl_verify_upstream_trusted_confdir={folder}",
        ),
        _served,
        FEW,
    ),
    Case(
        "ciphers_client, tls_ecdh_curve_client, key_size, request_client_cert and add_upstream_certs_to_client_chain",
        settings(
            "ciphers_client=ECDHE-RSA-AES128-GCM-SHA256",
            "tls_ecdh_curve_client=secp384r1",
            "key_size=3072",
            "request_client_cert=true",
            "add_upstream_certs_to_client_chain=true",
        ),
        _served,
        FEW,
    ),
    Case("certs and cert_passphrase", settings("certs=*={folder}/server.pem", "cert_passphrase=none"), _served, FEW),
)
"""Rows for an origin with TLS."""

CONNECTIONS = (
    Case(
        "connect_addr, tcp_timeout, dns_use_hosts_file, http2_ping_keepalive, http3 and keep_alt_svc_header",
        settings(
            "connect_addr=127.0.0.1",
            "tcp_timeout=5",
            "dns_use_hosts_file=false",
            "http2_ping_keepalive=0",
            "http3=false",
            "keep_alt_svc_header=true",
        ),
        _served,
        FEW,
    ),
    Case(
        "block_global, block_private, onboarding, udp_hosts, strip_ech and dns_name_servers",
        settings(
            "block_global=false",
            "block_private=true",
            "onboarding=false",
            "udp_hosts=localhost",
            "strip_ech=false",
            "dns_name_servers=127.0.0.1",
        ),
        _served,
        FEW,
    ),
    Case(
        "flow_detail, dumper_filter, dumper_default_contentview and termlog_verbosity",
        settings("flow_detail=3", "dumper_filter=~all", "dumper_default_contentview=raw", "termlog_verbosity=debug"),
        _served,
        FEW,
    ),
    Case("mode reverse", ("--mode", "reverse:{origin}"), _served, FEW, Way.ORIGIN),
    Case("mode socks5", ("--mode", "socks5"), _served, FEW, Way.SOCKS),
    Case("mode socks5, lazy", ("--mode", "socks5", *settings("connection_strategy=lazy")), _served, FEW, Way.SOCKS),
    Case("several modes", ("--mode", "regular", "--mode", "socks5@127.0.0.1:{port}"), _served, FEW),
)
"""Rows for any origin."""


@pytest.mark.parametrize("case", TLS, ids=[case.name for case in TLS])
def test_an_option_for_tls_does_the_same_with_the_cache(case: Case, ca: ThrowawayCA, tmp_path: Path) -> None:
    context = ca.server_context("localhost")
    (tmp_path / "server.pem").write_bytes((ca.file.parent / "server.pem").read_bytes())
    with EchoOrigin(context) as echo:
        compare(case, echo, ca, tmp_path)


TLS_VERSIONS = (
    "tls_version_client_min=TLS1_3",
    "tls_version_client_max=TLS1_2",
    "tls_version_server_min=TLS1_3",
    "tls_version_server_max=TLS1_2",
)


@pytest.mark.parametrize("option", TLS_VERSIONS)
def test_a_tls_version_is_used_or_refused_as_without_the_cache(option: str, ca: ThrowawayCA, tmp_path: Path) -> None:
    """mitmproxy 12.2 refuses every value together with OpenSSL 4, and ends."""
    if _refusal(option, tmp_path / "without", ca, cached=False):
        assert "OpenSSL.SSL.Error" in _refusal(option, tmp_path / "cached", ca, cached=True)
    else:
        with EchoOrigin(ca.server_context("localhost")) as echo:
            compare(Case(option, settings(option), _served, FEW), echo, ca, tmp_path)


def _refusal(option: str, folder: Path, ca: ThrowawayCA, *, cached: bool) -> str:
    """Return what mitmdump prints if it does not start."""
    try:
        Mitmdump(folder, ca.file, settings(option), cached=cached).stop()
    except AssertionError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", CONNECTIONS, ids=[case.name for case in CONNECTIONS])
def test_an_option_for_connections_does_the_same_with_the_cache(
    case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    compare(case, echo, ca, tmp_path)
