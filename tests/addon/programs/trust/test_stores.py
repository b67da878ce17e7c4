"""The CA certificate is added to trust stores, and removed from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from addon.cli import app
from addon.programs.trust.nss import NssStore, nss_stores
from addon.programs.trust.stores import TrustError, TrustStore
from addon.programs.trust.system import SystemStore
from tests.fixtures.throwaway_ca import ThrowawayCA

needs_certutil = pytest.mark.skipif(not shutil.which("certutil"), reason="certutil is not installed")


@pytest.fixture
def pem(tmp_path: Path) -> bytes:
    return ThrowawayCA(tmp_path, "first").file.read_bytes()


@pytest.fixture(params=["system", pytest.param("nss", marks=needs_certutil)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TrustStore:
    if request.param == "nss":
        return NssStore(tmp_path / "nssdb")
    return SystemStore(tmp_path / "anchors", ".crt", ("true",))


def test_a_certificate_is_in_the_store_until_it_is_uninstalled(store: TrustStore, pem: bytes) -> None:
    assert not store.holds(pem)
    store.install(pem)
    store.install(pem)
    assert store.holds(pem)
    store.uninstall()
    store.uninstall()
    assert not store.holds(pem)


def test_a_second_ca_replaces_the_first(store: TrustStore, pem: bytes, tmp_path: Path) -> None:
    other = ThrowawayCA(tmp_path, "second").file.read_bytes()
    store.install(pem)
    store.install(other)
    assert (store.holds(pem), store.holds(other)) == (False, True)


def test_the_error_of_a_tool_names_its_exit_code(tmp_path: Path, pem: bytes) -> None:
    with pytest.raises(TrustError, match="false ended with exit code 1"):
        SystemStore(tmp_path / "anchors", ".crt", ("false",)).install(pem)


def test_the_error_of_a_write_names_the_command_for_root(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrustError, match=r"as root: secondhand trust export \| sudo tee"):
        SystemStore(tmp_path / "file" / "anchors", ".crt", ("true",)).install(pem)


@needs_certutil
def test_the_databases_of_a_home_directory_are_found(tmp_path: Path) -> None:
    profile = tmp_path / ".mozilla" / "firefox" / "abc.default"
    profile.mkdir(parents=True)
    (profile / "cert9.db").touch()
    assert [store.folder for store in nss_stores(tmp_path)] == [tmp_path / ".pki" / "nssdb", profile]


@needs_certutil
def test_the_command_installs_shows_and_uninstalls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SECONDHAND_TLS__DIRECTORY", str(tmp_path / "authority"))
    monkeypatch.setattr("addon.cli.trust.system_store", lambda: SystemStore(tmp_path / "anchors", ".crt", ("true",)))
    run = CliRunner().invoke
    assert run(app, ["trust", "status"]).exit_code == 1
    installed = run(app, ["trust", "install"])
    assert installed.output == f"system: installed\nNSS {tmp_path}/.pki/nssdb: installed\n"
    assert run(app, ["trust", "status"]).exit_code == 0
    assert run(app, ["trust", "uninstall"]).exit_code == 0
    assert run(app, ["trust", "status"]).exit_code == 1
