"""Fixtures and settings of pytest for every test."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fixtures.guarded_records import guard_records

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"
"""A skipped test fails: everything that tests need must be installed. CI sets this."""

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # a shell starts background jobs so; programs that a test starts would inherit it and could not be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hypothesis tries random examples, but the same ones in every run of CI. On a busy machine, any may take long
settings.register_profile("random", deadline=None)
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady" if REQUIRE_ALL else "random")


def pytest_collection_finish() -> None:
    """Guard records. Exclude the imported modules from later garbage collections: many tests collect at their end."""
    guard_records()
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_system_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust no CA by default: reading the system's trust store takes longer than most tests."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture
def default_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the settings and the store of the user who runs the tests."""
    for name in os.environ:
        if name.startswith("SECONDHAND_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _required((yield))


def _required[R: (pytest.TestReport, pytest.CollectReport)](report: R) -> R:
    # an expected failure is reported as skipped too
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip. {reason}"
    return report
