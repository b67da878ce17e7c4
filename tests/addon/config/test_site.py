"""The table [[site]]: host patterns, origins, and the short form `edge`."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.config.site import host_pattern, host_without_name
from addon.origin.backends.options import CheckOptions
from cache.http.origin_address import OriginAddress
from tests.fixtures.settings_files import configured, faults

pytestmark = pytest.mark.usefixtures("default_settings")

SITE = '[[site]]\nhosts = ["{}"]\norigins = ["http://127.0.0.1:8000"]\n'


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("*.Example.org", "*.example.org"),
        ("*", "*"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("my_host", "my_host"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("0:0::1", "::1"),
    ],
)
def test_a_host_is_written_as_requests_name_it(written: str, pattern: str) -> None:
    assert host_pattern(written) == pattern


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "*.",
        "**",
        "*.*.example.org",
        "www.*",
        "w*.example.org",
        "*example.org",
        "example.org:80",
        "http://example.org",
        "example.org/",
        "a b",
        "a..b",
        ".example.org",
        "*.127.0.0.1",
        "*.[::1]",
        "user@example.org",
        "%61.example",
        f"{'a' * 64}.example",
        ".".join(["a" * 60] * 5),
        "\ud800.example",
    ],
)
def test_a_pattern_that_no_request_can_match_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="a host without a port"):
        host_pattern(written)


def test_a_site_has_hosts_and_origins(tmp_path: Path) -> None:
    [site] = configured(
        tmp_path,
        '[[site]]\nhosts = ["A.example", "*.a.example"]\norigins = [{ url = "https://[::1]:8443/", weight = 2 }]',
    ).settings.sites
    assert site.hosts == ("a.example", "*.a.example")
    [origin] = site.origins
    assert (origin.address.scheme, origin.address.host, origin.address.port) == ("https", "::1", 8443)
    assert origin.address.authority == "[::1]:8443"
    assert str(origin) == "https://[::1]:8443/ (weight 2)"


def test_faults_of_sites_name_the_table_and_what_was_expected(tmp_path: Path) -> None:
    assert faults(tmp_path, "[[site]]\nhosts = []\norigins = []\nhost = 'a'") == [
        "config.toml: site#1.origins: found an empty list, expected a list with at least one member",
        "config.toml: site#1.hosts: found an empty list, expected a list with at least one member",
        "config.toml: site#1.host: unknown key, did you mean hosts?",
    ]
    [fault] = faults(tmp_path, SITE.format("a.example") + SITE.format("b.example:80"))
    assert fault.startswith('config.toml: site#2.hosts#1: found "b.example:80", expected a host without a port, like')
    [fault] = faults(tmp_path, '[[site]]\nhosts = ["a"]\norigins = ["ftp://b"]')
    assert fault.startswith('config.toml: site#1.origins#1.url: found "ftp://b", expected an origin like')
    [fault] = faults(tmp_path, '[[site]]\nhosts = ["a"]\norigins = ["http://b:0"]')
    assert fault == 'config.toml: site#1.origins#1.url: found "http://b:0", expected a port from 1 to 65535'
    [fault] = faults(tmp_path, '[[site]]\nhosts = ["a"]\norigins = [{ url = "http://b", weight = 0 }]')
    assert fault == "config.toml: site#1.origins#1.weight: found 0, expected a number of at least 1"


def test_the_table_of_transport_security_is_made_once_and_not_for_each_response(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
        [[site]]
        hosts = ["a.example", "*.a.example"]
        origins = ["http://127.0.0.1:1"]
        hsts = "max-age=600"

        [[site]]
        hosts = ["plain.a.example"]
        origins = ["http://127.0.0.1:1"]
    """,
    ).settings
    table = settings.policy().presentation.transport_security
    assert table is not None
    found = [table.find(host) for host in ("a.example", "b.a.example", "plain.a.example", "b.example")]
    assert found == ["max-age=600", "max-age=600", "", None]


def test_edge_is_the_short_form_of_one_site_for_any_host() -> None:
    settings = Settings(edge="http://127.0.0.1:8000")
    [site] = settings.sites
    assert (site.hosts, [origin.url for origin in site.origins]) == (("*",), ["http://127.0.0.1:8000"])
    assert settings.is_edge
    assert settings.policy().identity.gateway
    assert not Settings().is_edge
    assert Settings().sites == ()


def test_with_sites_the_proxy_is_a_gateway(tmp_path: Path) -> None:
    settings = configured(tmp_path, f'listen = "192.0.2.1:80"\n{SITE.format("a.example")}').settings
    assert settings.policy().identity.gateway
    assert settings.targeted_fields == ("cdn-cache-control",)
    assert settings.reach is None


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        (["a.example"], "a.example"),
        (["a.example", "b.example"], None),
        (["*.a.example"], None),
        (["*"], "127.0.0.1:8000"),
    ],
)
def test_a_request_without_host_is_for_the_only_host_if_there_is_one(hosts: list[str], name: str | None) -> None:
    settings = Settings.model_validate({"site": [{"hosts": hosts, "origins": ["http://127.0.0.1:8000"]}]})
    assert host_without_name(settings.sites) == name
    assert host_without_name(settings.sites * 2) is None


def test_sites_can_come_from_the_environment(tmp_path: Path) -> None:
    variable = '[{ hosts = ["a.example"], origins = ["http://127.0.0.1:8000"] }]'
    [site] = configured(tmp_path, "", {"SECONDHAND_SITE": variable}).settings.sites
    assert site.hosts == ("a.example",)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1", ("http", "127.0.0.1", 80, "", "")),
        ("https://App.example:8443/", ("https", "app.example", 8443, "", "")),
        ("http://[::1]:8000/app/", ("http", "::1", 8000, "/app", "")),
        ("unix:/run/app.sock", ("http", "", 0, "", "/run/app.sock")),
        ("unix:/run/app.sock:/a/b/", ("http", "", 0, "/a/b", "/run/app.sock")),
    ],
)
def test_the_url_of_an_origin(url: str, expected: tuple[str, str, int, str, str]) -> None:
    address = OriginAddress.of(url)
    assert (address.scheme, address.host, address.port, address.prefix, address.socket) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:8000", "ftp://a", "http://", "http://a:b", "http://a?b", "http://a/#b", "http://u@a/"),
        *("http://a/b c", "http://a/\xe9", "unix:app.sock", "unix:", "unix:/a:b", "unix:/a b", "unix:/a:/b?c"),
    ],
)
def test_other_urls_of_origins_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an origin like"):
        OriginAddress.of(url)


def test_every_key_about_origins_reaches_the_options(tmp_path: Path) -> None:
    ca, certificate = tmp_path / "ca.pem", tmp_path / "client.pem"
    for file in (ca, certificate):
        file.write_text("")
    text = f"""
        [[site]]
        hosts = ["a.example"]
        origins = [{{ url = "https://b.example/app", weight = 3 }}, "unix:/run/a.sock"]
        balance = "hash"
        max_fails = 3
        fail_timeout = "1 min"
        fail_status = [502, 503]
        slow_start = 30
        health = {{ path = "/h", interval = 1, timeout = 0.5, status = [200], fails = 1, passes = 4 }}
        host_header = "origin"
        sni = "c.example"
        ca_files = ["{ca}"]
        client_certificate = "{certificate}"
    """
    [site] = configured(tmp_path, text).settings.origin_options().sites
    first, second = site.origins
    assert (first.url, first.address.prefix, first.weight, second.address.socket) == (
        "https://b.example/app",
        "/app",
        3,
        "/run/a.sock",
    )
    assert (first.address.authority, second.address.authority) == ("b.example", "localhost")
    assert (site.name, site.balance, site.max_fails, site.fail_timeout) == ("a.example", "hash", 3, 60)
    assert (site.fail_statuses, site.slow_start) == (frozenset({502, 503}), 30)
    assert site.check == CheckOptions("/h", 1, 0.5, frozenset({200}), fails=1, passes=4)
    assert (site.host_header, site.sni) == ("origin", "c.example")
    assert (site.ca_files, site.client_certificate) == ((str(ca),), str(certificate))
    # it identifies the edge, so it does not restrict who gets a copy
    assert not configured(tmp_path, text).settings.policy().storing.client_certificate


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ('balance = "random"', 'balance: found "random", expected "least_busy" or "hash"'),
        ("max_fails = -1", "max_fails: found -1, expected a number of at least 0"),
        ("fail_status = [99]", "fail_status#1: found 99, expected a number of at least 100"),
        ('health = { path = "h" }', 'health.path: found "h", expected a path like "/health"'),
        ("health = {}", "health.path: found nothing, expected a value: this key is required"),
        ('host_header = "a b"', 'host_header: found "a b", expected "client", "origin", or a host like "app.example"'),
        ('sni = "a:1"', 'sni: found "a:1", expected a host name'),
        ('ca_files = ["/nowhere"]', 'ca_files#1: found "/nowhere", expected a file that exists'),
        ('origins = ["http://b", "http://b"]', "origins: found a list, expected each origin once"),
    ],
)
def test_faults_of_keys_about_origins(key: str, fault: str, tmp_path: Path) -> None:
    origins = "" if key.startswith("origins") else 'origins = ["http://b"]\n'
    [found] = faults(tmp_path, f'[[site]]\nhosts = ["a"]\n{origins}{key}')
    assert found.startswith(f"config.toml: site#1.{fault}")
