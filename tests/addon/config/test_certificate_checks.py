"""`config check` names each mistake about certificates, and the certificates that end soon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from addon.cli import app
from tests.fixtures.site_certificates import SiteCertificate, encrypt, site_certificate
from tests.fixtures.throwaway_ca import ThrowawayCA

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.fixture
def ca(tmp_path: Path) -> ThrowawayCA:
    return ThrowawayCA(tmp_path, "site-ca")


def check(folder: Path, *tls: str, hosts: str = '"a.example"', listen: str = "127.0.0.1:8443") -> Result:
    """Return the result of `config check` for one site with these values of `tls`."""
    file = folder / "config.toml"
    site = f'[[site]]\nhosts = [{hosts}]\norigins = ["http://127.0.0.1:1"]\ntls = [{", ".join(tls)}]\n'
    file.write_text(f'listen_tls = "{listen}"\n{site}')
    return CliRunner().invoke(app, ["config", "check", "--config", str(file)])


def fault(folder: Path, result: Result) -> str:
    """Return the only fault, without the place of the settings."""
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    return line.removeprefix(f"secondhand: {folder / 'config.toml'}: ")


def test_a_good_certificate_is_no_fault(ca: ThrowawayCA, tmp_path: Path) -> None:
    good = site_certificate(ca, tmp_path, "a.example", "*.b.example", "127.0.0.1", days=90)
    result = check(tmp_path, good.text(), hosts='"a.example", "*.b.example", "x.b.example", "127.0.0.1", "*"')
    assert result.exit_code == 0
    assert "expire" not in result.stdout


def test_files_that_cannot_be_used(ca: ThrowawayCA, tmp_path: Path) -> None:
    good, other = (site_certificate(ca, tmp_path / name, "a.example", days=90) for name in ("good", "other"))
    missing = tmp_path / "missing"
    text = tmp_path / "text"
    text.write_text("-----BEGIN CERTIFICATE-----\n")
    locked = site_certificate(ca, tmp_path / "locked", "a.example", days=90)
    encrypt(locked.key)
    for cert, key, problem in (
        (missing, good.key, f'cert: found "{missing}", expected a file that can be read: No such file or directory'),
        (good.cert, tmp_path, f'key: found "{tmp_path}", expected a file that can be read: Is a directory'),
        (text, good.key, f'cert: found "{text}", expected a certificate in PEM'),
        (good.key, good.cert, f'cert: found "{good.key}", expected a certificate in PEM'),
        (good.cert, text, f'key: found "{text}", expected a private key in PEM'),
        (good.cert, other.key, f'key: found "{other.key}", expected the key of the certificate in {good.cert}'),
        (locked.cert, locked.key, f'key: found "{locked.key}", expected a key without a passphrase'),
    ):
        result = check(tmp_path, SiteCertificate(cert, key).text())
        assert fault(tmp_path, result) == f"site#1.tls.{problem}"


def test_a_certificate_and_its_key_may_be_in_one_file(ca: ThrowawayCA, tmp_path: Path) -> None:
    both = ca.server_files("a.example", days=90)
    assert check(tmp_path, SiteCertificate(both, both).text()).exit_code == 0


def test_a_certificate_that_is_not_for_a_host_of_its_site(ca: ThrowawayCA, tmp_path: Path) -> None:
    certificate = site_certificate(ca, tmp_path, "a.example", "*.b.example", days=90)
    result = check(tmp_path, certificate.text(), hosts='"a.example", "*.a.example", "b.example", "y.x.b.example"')
    assert fault(tmp_path, result) == (
        "site#1.tls.cert: found a certificate for a.example, *.b.example,"
        " expected one for *.a.example, b.example, y.x.b.example as well"
    )


def test_an_expired_certificate_is_a_fault_and_one_that_expires_soon_a_note(ca: ThrowawayCA, tmp_path: Path) -> None:
    expired = site_certificate(ca, tmp_path / "old", "a.example", days=-1)
    assert "expected a certificate that is valid now" in fault(tmp_path, check(tmp_path, expired.text()))
    soon = site_certificate(ca, tmp_path / "soon", "a.example", days=6)
    result = check(tmp_path, soon.text())
    assert result.exit_code == 0
    assert f"the certificate in {soon.cert} expires on " in " ".join(result.stdout.split("\n"))


def test_certificates_and_listener_need_each_other(ca: ThrowawayCA, tmp_path: Path) -> None:
    good = site_certificate(ca, tmp_path, "a.example", days=90)
    assert fault(tmp_path, check(tmp_path, good.text(), listen="")).startswith("site#1.tls: found certificates")
    assert fault(tmp_path, check(tmp_path)).startswith('listen_tls: found "127.0.0.1:8443", expected a [[site]]')
    same = check(tmp_path, good.text(), listen="0.0.0.0:8080")
    assert 'listen_tls: found "0.0.0.0:8080", expected another port' in same.stderr


@pytest.mark.parametrize("listen", ["8443", "127.0.0.1:0", "127.0.0.1:70000"])
def test_the_listener_for_tls_has_a_fixed_address(tmp_path: Path, listen: str) -> None:
    assert "listen_tls: found" in check(tmp_path, listen=listen).stderr


@pytest.mark.parametrize("value", ["600", "max-age=x", "max-age=1; preload; includeSubDomains", "max-age=1\\r\\nX: y"])
def test_the_value_of_hsts_is_checked(tmp_path: Path, value: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[[site]]\nhosts = ["a.example"]\norigins = ["http://127.0.0.1:1"]\nhsts = "{value}"\n')
    result = CliRunner().invoke(app, ["config", "check", "--json", "--config", str(file)])
    [problem] = json.loads(result.stdout)["faults"]
    assert problem["key"] == "site#1.hsts"
