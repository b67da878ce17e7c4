"""Imports mitmproxy once for these tests, without its own deprecation warnings, which pytest would turn into errors."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import addon.server  # noqa: F401 - imports mitmproxy


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count all clients as one client on another machine: clients on this machine are not counted."""
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")
