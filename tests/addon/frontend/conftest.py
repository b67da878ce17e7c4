"""Fixtures for tests of the front end."""

import pytest


@pytest.fixture(autouse=True)
def no_system_cas(no_system_trust: None) -> None:
    """Use no system CAs: to load them takes longer than most conversations."""


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count all clients as one client on another machine: clients on this machine are not counted."""
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")
