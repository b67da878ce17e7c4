"""Tests of the origin client read no system trust store, and may run on both event loops."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from tests.fixtures.throwaway_ca import ThrowawayCA


@pytest.fixture(autouse=True)
def no_system_cas(no_system_trust: None) -> None:
    """Use no system CAs: to load them takes longer than most conversations."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def each_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test on Python's own event loop and on uvloop, which the proxy uses."""
    monkeypatch.setattr("tests.fixtures.origin_client.new_event_loop", request.param)


@pytest.fixture(scope="package")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    """A CA that the origin client trusts."""
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "trusted")
