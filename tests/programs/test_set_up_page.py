"""The lines on the set-up page, copied by a person who has nothing but the page, and run."""

from __future__ import annotations

import hashlib
import html
import re
import ssl
import urllib.request
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import COMMANDS, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program, run

EXAMPLE = "https://example.org/"

WITH_REQUESTS = "import requests, sys; print(requests.get(sys.argv[1]).text)"


@pytest.fixture(scope="module")
def page(proxy: Proxy) -> str:
    with urllib.request.urlopen(f"{proxy.url}/") as response:
        return str(response.read().decode())


def lines_for(page: str, name: str) -> str:
    """Return the lines below a heading of the page."""
    match = re.search(rf"<h3>{re.escape(html.escape(name))}</h3>\n<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert match, name
    return html.unescape(match[1])


@pytest.fixture
def folder(tmp_path: Path, page: str) -> Path:
    """Return a folder into which the certificate was fetched as the page says."""
    fetching = re.search(r"<pre[^>]*>(curl -o .*?)</pre>", page)
    assert fetching
    run(tmp_path, "sh", "-e", "-c", f"cd '{tmp_path}' && {html.unescape(fetching[1])} --silent")
    return tmp_path


def test_openssl_prints_the_fingerprint_of_the_page(page: str, folder: Path) -> None:
    checking = re.search(r"<pre[^>]*>(openssl .*?)</pre>", page)
    assert checking
    printed = run(folder, "sh", "-c", f"cd '{folder}' && {checking[1]}").strip().partition("=")[2]
    assert f"<code>{printed}</code>" in page.replace("<wbr>", "")
    der = ssl.PEM_cert_to_DER_cert((folder / "secondhand-ca.pem").read_text())
    assert printed.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("name", ["curl", "wget"])
def test_a_line_with_an_example_works_with_another_url(
    name: str, page: str, folder: Path, proxy: Proxy, secure_origin: Origin
) -> None:
    program(name)
    url = serve_page(secure_origin, f"/by-{name}", b"by the proxy")
    line = lines_for(page, name).replace(EXAMPLE, url)
    assert url in line
    quiet = line.replace("wget ", "wget --quiet --output-document=- ").replace("curl ", "curl --silent --show-error ")
    before = proxy.counters()["requests.https"]
    assert run(folder, "sh", "-e", "-c", f"cd '{folder}' && {quiet}") == "by the proxy"
    assert proxy.counters()["requests.https"] == before + 1


def test_the_variables_for_python_apply_to_requests(
    page: str, folder: Path, proxy: Proxy, secure_origin: Origin
) -> None:
    url = serve_page(secure_origin, "/by-requests", b"by the proxy")
    lines = lines_for(page, "Python: pip, requests, httpx")
    before = proxy.counters()["requests.https"]
    script = f"cd '{folder}'\n{lines}\n'{COMMANDS / 'python'}' -c '{WITH_REQUESTS}' {url}"
    assert run(folder, "bash", "-e", "-c", script) == "by the proxy\n"
    assert proxy.counters()["requests.https"] == before + 1


def test_git_gets_its_proxy_and_its_ca(page: str, folder: Path, proxy: Proxy) -> None:
    program("git")
    run(folder, "sh", "-e", "-c", f"cd '{folder}'\n{lines_for(page, 'Git')}")
    assert run(folder, "git", "config", "--global", "http.proxy") == f"{proxy.url}\n"
    assert run(folder, "git", "config", "--global", "http.sslCAInfo") == f"{folder}/secondhand-ca.pem\n"


def test_java_reads_the_certificate(page: str, folder: Path) -> None:
    keytool = program("keytool")
    line = lines_for(page, "Java: Maven, Gradle").splitlines()[0]
    assert line.startswith("sudo keytool -importcert -noprompt -cacerts ")
    own_store = line.replace("sudo keytool", keytool).replace("-cacerts", "-keystore store.p12")
    run(folder, "sh", "-e", "-c", f"cd '{folder}' && {own_store}")
    assert "secondhand" in run(folder, keytool, "-list", "-keystore", f"{folder}/store.p12", "-storepass", "changeit")
