"""The origin is gone, or the proxy was."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.pages import page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Origin
from tests.programs.programs import curl


@pytest.fixture(params=["http", "https"])
def passing_origin(request: pytest.FixtureRequest, authority: Authority) -> Origin:
    """An origin that is gone by the end of the test."""
    return Origin(authority.context("localhost") if request.param == "https" else None)


def test_a_copy_outlives_its_origin_even_when_it_is_stale(proxy: Proxy, passing_origin: Origin) -> None:
    with passing_origin:
        fresh = passing_origin.offer("/fresh", page(b"fresh"))
        stale = passing_origin.offer("/stale", page(b"stale", cache_control="max-age=0"))
        curl(proxy, fresh)
        curl(proxy, stale)

    still_fresh, by_now_stale = curl(proxy, fresh), curl(proxy, stale)

    assert (still_fresh.status, still_fresh.content) == (203, b"fresh")
    assert (by_now_stale.status, by_now_stale.content) == (203, b"stale")
    assert by_now_stale.fields["Cache-Status"].startswith("secondhand; hit; ttl=-")
    assert by_now_stale.fields["Cache-Status"].endswith("; detail=disconnected")


def test_without_a_copy_the_client_is_told_what_is_wrong(proxy: Proxy, passing_origin: Origin) -> None:
    with passing_origin:
        url = passing_origin.offer("/never-asked-for", page(b"never"))

    answer = curl(proxy, url)

    assert answer.status == 502
    assert answer.fields["Proxy-Status"].startswith("secondhand; error=connection_refused")
    assert answer.fields["Content-Type"].startswith("text/plain")


def on_disk(proxy: Proxy, entries: int) -> None:
    """Wait until that many stored responses would survive anything."""
    store = DiskStore(proxy.folder / "store", 2**30)
    try:
        while store.statistics().entries < entries:
            time.sleep(0.01)
    finally:
        store.close()


@pytest.mark.parametrize("end", [Proxy.stop, Proxy.kill], ids=["stopped", "killed with kill -9"])
def test_a_proxy_that_starts_again_serves_what_the_one_before_it_stored(
    passing_origin: Origin, authority: Authority, tmp_path: Path, end: Callable[[Proxy], None]
) -> None:
    with Proxy(tmp_path, trusts=authority.file) as proxy, passing_origin:
        small = passing_origin.offer("/small", page(b"small"))
        large = passing_origin.offer("/large", page(b"large" * 100_000))
        curl(proxy, small)
        curl(proxy, large)
        if end is Proxy.kill:  # small ones are written a moment later, many together
            on_disk(proxy, 2)
        end(proxy)

    with Proxy(tmp_path, trusts=authority.file) as proxy:
        of_small, of_large = curl(proxy, small), curl(proxy, large)

        assert (of_small.status, of_small.content) == (203, b"small")
        assert (of_large.status, of_large.content) == (203, b"large" * 100_000)
        assert proxy.counters()["origin.fetches"] == 0
