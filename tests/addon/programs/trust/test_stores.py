"""The CA certificate is added to trust stores, and removed from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.trust.stores import TrustError, TrustStore
from addon.programs.trust.system import SystemStore
from tests.fixtures.throwaway_ca import ThrowawayCA


@pytest.fixture
def pem(tmp_path: Path) -> bytes:
    return ThrowawayCA(tmp_path, "first").file.read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
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
