"""mitmproxy is imported once, here, where its own use of deprecated names is not our failure."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import addon.server  # noqa: F401 - for what it imports


@pytest.fixture(autouse=True)
def quick(no_system_trust: None) -> None:
    """Let no test here read the system's trust store."""
