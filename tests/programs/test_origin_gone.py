"""Requests while the origin is stopped, and after the proxy was restarted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.pages import page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl


@pytest.fixture(params=["http", "https"])
def stoppable_origin(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Origin:
    """Return an origin that the test stops."""
    return Origin(ca.server_context("localhost") if request.param == "https" else None)


def test_copies_are_served_while_the_origin_is_stopped_even_if_they_are_stale(
    proxy: Proxy, stoppable_origin: Origin
) -> None:
    with stoppable_origin:
        fresh = stoppable_origin.offer("/fresh", page(b"fresh"))
        stale = stoppable_origin.offer("/stale", page(b"stale", cache_control="max-age=0"))
        curl(proxy, fresh)
        curl(proxy, stale)

    fresh_copy, stale_copy = curl(proxy, fresh), curl(proxy, stale)

    assert (fresh_copy.status, fresh_copy.content) == (203, b"fresh")
    assert (stale_copy.status, stale_copy.content) == (203, b"stale")
    assert stale_copy.fields["Cache-Status"].startswith("secondhand; hit; ttl=-")
    assert stale_copy.fields["Cache-Status"].endswith("; detail=disconnected")


def test_without_a_copy_the_client_gets_502_with_the_reason(proxy: Proxy, stoppable_origin: Origin) -> None:
    with stoppable_origin:
        url = stoppable_origin.offer("/never-asked-for", page(b"never"))

    response = curl(proxy, url)

    assert response.status == 502
    assert response.fields["Proxy-Status"].startswith("secondhand; error=connection_refused")
    assert response.fields["Content-Type"].startswith("text/plain")


def wait_until_on_disk(proxy: Proxy, entries: int) -> None:
    """Wait until this number of stored responses is on disk."""
    store = DiskStore(proxy.folder / "store", 2**30)
    try:
        while store.statistics().entries < entries:
            time.sleep(0.01)
    finally:
        store.close()


@pytest.mark.parametrize("end", [Proxy.stop, Proxy.kill], ids=["stopped", "killed with kill -9"])
def test_a_restarted_proxy_serves_the_copies_of_the_one_before(
    stoppable_origin: Origin, ca: ThrowawayCA, tmp_path: Path, end: Callable[[Proxy], None]
) -> None:
    with Proxy(tmp_path, origin_ca=ca.file) as proxy, stoppable_origin:
        small = stoppable_origin.offer("/small", page(b"small"))
        large = stoppable_origin.offer("/large", page(b"large" * 100_000))
        curl(proxy, small)
        curl(proxy, large)
        if end is Proxy.kill:  # the proxy writes small responses in groups, a moment later
            wait_until_on_disk(proxy, 2)
        end(proxy)

    with Proxy(tmp_path, origin_ca=ca.file) as proxy:
        small_copy, large_copy = curl(proxy, small), curl(proxy, large)

        assert (small_copy.status, small_copy.content) == (203, b"small")
        assert (large_copy.status, large_copy.content) == (203, b"large" * 100_000)
        assert proxy.counters()["origin.fetches"] == 0
