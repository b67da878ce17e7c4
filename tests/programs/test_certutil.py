"""The proxy's CA in the NSS databases of browsers, with the real certutil."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from addon.cli import app
from addon.programs.trust.nss import NssStore, nss_stores
from addon.programs.trust.system import SystemStore
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.installed_programs import program


@pytest.fixture(autouse=True)
def certutil() -> str:
    return program("certutil")


@pytest.fixture
def store(tmp_path: Path) -> NssStore:
    return NssStore(tmp_path / "nssdb")


def test_an_installed_ca_is_found_until_it_is_uninstalled(store: NssStore, ca: ThrowawayCA) -> None:
    pem = ca.file.read_bytes()
    assert not store.holds(pem)
    store.install(pem)
    store.install(pem)
    assert store.holds(pem)
    store.uninstall()
    store.uninstall()
    assert not store.holds(pem)


def test_a_second_ca_replaces_the_first(store: NssStore, ca: ThrowawayCA, tmp_path: Path) -> None:
    pem, other = ca.file.read_bytes(), ThrowawayCA(tmp_path, "second").file.read_bytes()
    store.install(pem)
    store.install(other)
    assert (store.holds(pem), store.holds(other)) == (False, True)


def test_the_databases_of_all_browsers_of_a_home_directory_are_found(tmp_path: Path) -> None:
    profile = tmp_path / ".mozilla" / "firefox" / "abc.default"
    profile.mkdir(parents=True)
    (profile / "cert9.db").touch()
    assert [store.folder for store in nss_stores(tmp_path)] == [tmp_path / ".pki" / "nssdb", profile]


def test_the_command_line_installs_shows_and_uninstalls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
