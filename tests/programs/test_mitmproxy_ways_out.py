"""With the cache, mitmproxy reaches origins as its options say: by its proxies, with its certificates, in its modes."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import TIMEOUT
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_runs import Ask, Got, Mitmdump, Way, exchange, mitmdump_ca, play

SCRIPTS = Path(__file__).with_name("mitmproxy_scripts")

TWICE = (Ask("/text"), Ask("/text"))


@pytest.fixture(params=["http", "https"])
def echo(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[EchoOrigin]:
    with EchoOrigin(
        ca.server_context("localhost", "only-upstream.invalid") if request.param == "https" else None
    ) as echo:
        yield echo


def _statuses(responses: list[Got]) -> list[int]:
    return [got.status for got in responses]


def _cache_status(got: Got) -> str:
    return dict(got.fields).get("Cache-Status", "")


def test_every_request_to_an_origin_takes_the_upstream_proxy(echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    """Only the upstream proxy can find this origin. A validation, which is no flow's own, goes there, too."""
    url = echo.url.replace("localhost", "only-upstream.invalid")
    validating = Ask("/text", fields=(("Cache-Control", "no-cache"),))
    resolving = ("-s", str(SCRIPTS / "resolving.py"), "--set", "proxyauth=me:secret")
    with Mitmdump(tmp_path / "up" / "proxy", ca.file, resolving, cached=False) as upstream:
        options = ("--mode", f"upstream:http://127.0.0.1:{upstream.port}", "--upstream-auth", "me:secret")
        with Mitmdump(tmp_path / "down" / "proxy", mitmdump_ca(upstream), options, cached=True) as mitmdump:
            got = [exchange(mitmdump.port, url, ask, mitmdump_ca(mitmdump)) for ask in (*TWICE, validating)]

    assert _statuses(got) == [200, 203, 203]
    assert "fwd=request; fwd-status=304" in _cache_status(got[2]), got[2]
    assert len(echo.requests) == 2


def test_every_request_takes_the_upstream_proxy_that_a_script_has_chosen(
    echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a validation in the background. The proxy that the option names does not exist."""
    url = echo.url.replace("localhost", "only-upstream.invalid")
    traffic = (*TWICE, Ask("/text", fields=(("Cache-Control", "no-cache"),)), Ask("/brief"), Ask("/brief"))
    choosing = ("-s", str(SCRIPTS / "choosing_upstream.py"), "--set", "connection_strategy=lazy")
    with Mitmdump(tmp_path / "up" / "proxy", ca.file, ("-s", str(SCRIPTS / "resolving.py")), cached=False) as upstream:
        monkeypatch.setenv("UPSTREAM_PORT", str(upstream.port))
        options = ("--mode", f"upstream:http://127.0.0.1:{free_port()}", *choosing)
        with Mitmdump(tmp_path / "down" / "proxy", mitmdump_ca(upstream), options, cached=True) as mitmdump:
            got = [exchange(mitmdump.port, url, ask, mitmdump_ca(mitmdump)) for ask in traffic]
            until = time.monotonic() + TIMEOUT
            while len(echo.requests) < 4 and time.monotonic() < until:
                time.sleep(0.02)

    assert _statuses(got) == [200, 203, 203, 200, 203]
    assert [each.target for each in echo.requests] == ["/text", "/text", "/brief", "/brief"]


def test_with_ssl_insecure_a_response_is_served_and_not_stored(ca: ThrowawayCA, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    unknown = ThrowawayCA(tmp_path / "other", "unknown")
    with (
        EchoOrigin(unknown.server_context("localhost")) as echo,
        Mitmdump(tmp_path / "proxy", ca.file, ("--ssl-insecure",), cached=True) as mitmdump,
    ):
        seen = play(mitmdump, echo, TWICE)

    assert _statuses(seen.client) == [200, 200]
    assert [flow.comment for flow in seen.flows] == ["miss: unverified", "miss: unverified"]


def test_with_ssl_insecure_a_copy_is_not_confirmed_and_what_comes_is_served(ca: ThrowawayCA, tmp_path: Path) -> None:
    stale = Ask("/text", fields=(("Cache-Control", "no-cache"),))
    with EchoOrigin(ca.server_context("localhost")) as echo:
        with Mitmdump(tmp_path / "run", ca.file, (), cached=True) as mitmdump:
            play(mitmdump, echo, (Ask("/text"),))
        with Mitmdump(tmp_path / "run", ca.file, ("--ssl-insecure",), cached=True) as mitmdump:
            seen = play(mitmdump, echo, (stale, stale))

    assert _statuses(seen.client) == [200, 200]
    assert [flow.comment for flow in seen.flows] == ["miss: unverified", "miss: unverified"]
    assert not any("If-None-Match" in dict(each.fields) for each in seen.origin)


def test_what_comes_over_an_unverified_connection_is_not_stored_later(ca: ThrowawayCA, tmp_path: Path) -> None:
    """mitmproxy goes on to use the connection when `ssl_insecure` is switched off."""
    (tmp_path / "other").mkdir()
    unknown = ThrowawayCA(tmp_path / "other", "unknown")
    script = tmp_path / "verify.py"
    script.write_text("from mitmproxy import ctx\ndef response(flow):\n    ctx.options.update(ssl_insecure=False)\n")
    with (
        EchoOrigin(unknown.server_context("localhost")) as echo,
        Mitmdump(tmp_path / "proxy", ca.file, ("--ssl-insecure", "-s", str(script)), cached=True) as mitmdump,
    ):
        context = ssl.create_default_context(cafile=str(mitmdump_ca(mitmdump)))
        client = http.client.HTTPSConnection("127.0.0.1", mitmdump.port, timeout=TIMEOUT, context=context)
        with closing(client):
            client.set_tunnel("localhost", urlsplit(echo.url).port)
            for _ in range(2):
                client.request("GET", "/text")
                assert client.getresponse().read() == b"hello, this is text"
        again = exchange(mitmdump.port, echo.url, Ask("/text"), mitmdump_ca(mitmdump))

    assert len(echo.requests) == 2
    assert again.status == 502


@pytest.mark.parametrize("host", ["localhost:1", "localhost"])
def test_a_host_with_another_port_names_no_other_origin(host: str, ca: ThrowawayCA, tmp_path: Path) -> None:
    with (
        EchoOrigin(ca.server_context("localhost")) as echo,
        Mitmdump(tmp_path / "proxy", ca.file, (), cached=True) as mitmdump,
    ):
        other = Ask("/text", fields=(("Host", host),))
        got = [exchange(mitmdump.port, echo.url, other, mitmdump_ca(mitmdump)) for _ in range(2)]

    assert _statuses(got) == [200, 200]
    assert all("detail=host-mismatch" in _cache_status(each) for each in got)


def test_a_client_certificate_of_mitmproxy_is_sent(ca: ThrowawayCA, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    clients = ThrowawayCA(tmp_path / "other", "clients")
    clients.server_context("client")
    context = ca.server_context("localhost")
    context.load_verify_locations(clients.file)
    context.verify_mode = ssl.CERT_REQUIRED
    options = ("--set", f"client_certs={tmp_path / 'other' / 'server.pem'}")
    with EchoOrigin(context) as echo, Mitmdump(tmp_path / "proxy", ca.file, options, cached=True) as mitmdump:
        seen = play(mitmdump, echo, (*TWICE, Ask("/text", fields=(("Cache-Control", "no-cache"),))))

    assert [each.client_certificate for each in seen.origin] == ["True", "True"]
    assert seen.client[0].content == b"hello, this is text"


@pytest.mark.parametrize("keep_host", ["true", "false"])
def test_in_reverse_mode_copies_are_used(keep_host: str, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    options = ("--mode", f"reverse:{echo.url}", "--set", f"keep_host_header={keep_host}")
    with Mitmdump(tmp_path / "proxy", ca.file, options, cached=True) as mitmdump:
        got = [
            exchange(mitmdump.port, "http://name.example", ask, ca.file, way=Way.ORIGIN)
            for ask in (*TWICE, Ask("/text", fields=(("Cache-Control", "no-cache"),)))
        ]

    assert _statuses(got)[:2] == [200, 203]
    assert {each.content for each in got} == {b"hello, this is text"}
    hosts = {dict(each.fields)["Host"] for each in echo.requests}
    assert hosts == ({"name.example"} if keep_host == "true" else {echo.url.partition("//")[2]})


def test_a_copy_is_served_while_its_origin_is_down(ca: ThrowawayCA, tmp_path: Path) -> None:
    """Also in a tunnel: an eager mitmproxy would refuse it."""
    with Mitmdump(tmp_path / "proxy", ca.file, (), cached=True) as mitmdump:
        with EchoOrigin(ca.server_context("localhost")) as echo:
            url = echo.url
            exchange(mitmdump.port, url, Ask("/text"), mitmdump_ca(mitmdump))
        got = exchange(mitmdump.port, url, Ask("/text", fields=(("Cache-Control", "no-cache"),)), mitmdump_ca(mitmdump))
        mitmdump.stop()
        flows = mitmdump.flows()

    assert (got.status, got.content) == (203, b"hello, this is text")
    assert "hit" in _cache_status(got)
    assert flows[-1].comment.startswith("hit, ")
