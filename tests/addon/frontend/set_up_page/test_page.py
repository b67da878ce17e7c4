"""The set-up page: who gets it, who does not, and the files on it."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from addon.frontend.questions import Questions
from addon.pipeline.why_command import Question
from cache.engine.explain import Explanation
from cache.http.messages import Fields
from cache.policy.reasons import Refused
from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    client_tls,
    echo_path,
    run_at_edge,
    run_conversation,
)
from tests.fixtures.raw_origin import RawOrigin
from tests.lanes.messages import ClientResponse
from tests.lanes.settings import interception_ca

TITLE = b"Set up this computer for the proxy"


def request(target: str, host: str, method: str = "GET", *lines: str) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


def responses(*requests: bytes) -> list[ClientResponse]:
    """Return what a forward proxy answers, each request on a connection of its own."""
    found = []

    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        for each in requests:
            client = await front_end.client()
            client.send(each.replace(b"OWN", f"127.0.0.1:{front_end.address[1]}".encode()))
            found.append(await client.response(each.split()[0].decode()))

    run_conversation(conversation)
    return found


@pytest.mark.parametrize("host", ["OWN", "localhost:8080", "192.0.2.7:8080", "[2001:db8::7]:8080", "mitm.it"])
def test_the_proxys_own_names_and_addresses_show_the_page(host: str) -> None:
    (page,) = responses(request("/", host))
    assert (page.status, TITLE in page.body) == (200, True)


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", ""])
@pytest.mark.parametrize("path", ["/", "/cert/pem"])
def test_a_name_that_others_can_have_resolve_to_the_proxy_shows_nothing(host: str, path: str) -> None:
    (refused,) = responses(request(path, host))
    assert refused.status == 400
    assert b"CERTIFICATE" not in refused.body


def test_a_request_that_came_through_a_proxy_shows_nothing() -> None:
    (refused,) = responses(request("/", "OWN", "GET", "Via: 1.1 secondhand"))
    assert refused.status == 400


def test_other_paths_are_refused_as_for_any_proxy() -> None:
    (refused,) = responses(request("/metrics", "OWN"))
    assert (refused.status, refused.body.split(b":")[0]) == (400, b"This is a proxy")


@pytest.mark.parametrize("target", ["http://mitm.it/", "http://MITM.it", "http://secondhand.internal/?from=link"])
def test_a_client_of_the_proxy_gets_the_page_by_its_names(target: str) -> None:
    (page,) = responses(request(target, "ignored.example"))
    assert (page.status, TITLE in page.body) == (200, True)


def test_the_page_is_inside_tunnels_too() -> None:
    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        secure = await front_end.tunnel("mitm.it:443", client_tls(), "mitm.it")
        in_clear = await front_end.tunnel("secondhand.internal:80")
        for client in (secure, in_clear):
            assert TITLE in (await client.fetch(request("/", "mitm.it"))).body

    run_conversation(conversation)


def test_an_edge_has_no_such_page() -> None:
    async def conversation(edge: FrontEndUnderTest, _origin: RawOrigin) -> None:
        for host in ("127.0.0.1", "mitm.it"):
            client: Client = await edge.client()
            assert (await client.fetch(request("/", host))).body == b"/"

    run_at_edge(conversation, echo_path)


def test_head_has_no_content_and_the_length_of_the_page() -> None:
    head, page = responses(request("/", "OWN", "HEAD"), request("/", "OWN"))
    assert (head.status, head.body) == (200, b"")
    assert head.fields.get("content-length") == str(len(page.body))


def test_other_methods_and_paths_are_refused_with_a_reason() -> None:
    post, missing = responses(
        request("http://mitm.it/", "mitm.it", "POST", "Content-Length: 0"), request("http://mitm.it/x", "mitm.it")
    )
    assert (post.status, post.fields.get("allow"), missing.status) == (405, "GET, HEAD", 404)
    assert b"reason: set-up-page" in post.body
    assert b"reason: set-up-page" in missing.body


def test_all_files_are_the_certificate_without_its_key() -> None:
    pem, cer, der, p12 = responses(*(request(f"/cert/{kind}", "OWN") for kind in ("pem", "cer", "der", "p12")))
    expected = x509.load_pem_x509_certificate(Path(interception_ca()).read_bytes())
    assert x509.load_pem_x509_certificate(pem.body) == x509.load_pem_x509_certificate(cer.body) == expected
    assert x509.load_der_x509_certificate(der.body) == expected
    key, own, others = pkcs12.load_key_and_certificates(p12.body, None)
    assert (key, own, others) == (None, None, [expected])
    assert pem.fields.get("content-disposition") == 'attachment; filename="secondhand-ca.pem"'
    for each in (pem, cer, der, p12):
        assert b"PRIVATE" not in each.body
        assert each.fields.get("cache-control") == "no-store"


def test_the_page_needs_no_script_loads_nothing_and_tells_no_path_of_this_machine() -> None:
    (page,) = responses(request("/", "OWN"))
    text, policy = page.body.decode(), page.fields.get("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; ")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert not re.search(r"<script|<img|<link|\son\w+=|\sstyle=|url\(|@import", text)
    assert re.findall(r'href="([^"]*)"', text) == ["/cert/pem", "/cert/cer", "/cert/der", "/cert/p12"]
    assert str(interception_ca().parent) not in text
    assert str(Path.home()) not in text


def test_no_line_is_broken_within_a_byte_of_the_fingerprint_or_within_an_option() -> None:
    (page,) = responses(request("/", "OWN"))
    text = page.body.decode()
    fingerprint = re.search(r"<code>((?:[0-9A-F]{2}(?::<wbr>)?){32})</code>", text)
    assert fingerprint
    assert fingerprint[1].count(":<wbr>") == 31
    (commands,) = re.findall(r"\npre\{(.*?)\}", text, re.DOTALL)
    assert "white-space:pre;" in commands  # a browser would break a line behind each hyphen
    assert "overflow-x:auto" in commands


def test_the_page_has_the_fingerprint_and_the_address_that_the_client_has_used() -> None:
    by_address, by_name = responses(request("/", "[2001:db8::7]:3128"), request("http://mitm.it/", "mitm.it"))
    der = ssl.PEM_cert_to_DER_cert(Path(interception_ca()).read_text())
    assert hashlib.sha256(der).digest().hex(":").upper() in by_address.body.decode().replace("<wbr>", "")
    assert b"curl -o secondhand-ca.pem &#x27;http://[2001:db8::7]:3128/cert/pem&#x27;" in by_address.body
    assert re.search(rb"--proxy http://127\.0\.0\.1:[1-9]\d+ --cacert", by_name.body)


def test_a_proxy_on_all_addresses_does_not_guess_which_one_the_client_has_used() -> None:
    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        client = await front_end.client()
        page = await client.fetch(request("http://mitm.it/", "mitm.it"))
        assert f"--proxy http://ADDRESS-OF-THE-PROXY:{front_end.address[1]} ".encode() in page.body

    run_conversation(conversation, listen="0.0.0.0:0")


def test_a_ca_that_cannot_be_read_is_an_error_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "mitmproxy-ca.pem").write_text("no certificate")

    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        client = await front_end.client()
        failed = await client.fetch(request("/", "localhost"))
        assert failed.status == 500
        assert str(tmp_path).encode() not in failed.body

    run_conversation(conversation, tls={"directory": str(tmp_path)})


@pytest.mark.parametrize("url", ["http://mitm.it/", "https://secondhand.internal/cert/pem"])
def test_why_says_that_the_page_answers(url: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        questions = Questions(front_end.listener.handler.frontend)
        explanation = await questions.read(Question(url, "GET", Fields()))
        assert isinstance(explanation, Explanation)
        assert explanation.reason == Refused.SET_UP_PAGE
        assert explanation.head is not None
        assert explanation.head.status == 200

    run_conversation(conversation)
