"""A proxy that a few programs have used for a day, as an example for pictures. Hosts, times and sizes are invented."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from addon.runtime.series.series_file import SeriesFile
from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Exchange
from tests.programs.all_hosts_origin import AllHostsOrigin

EXPLAINED = "fonts.example/text.woff2"
"""The URL whose answer is explained."""

DAY = {"Cache-Control": "public, max-age=86400"}

FILES = {
    **{f"http://packages.example/files/part-{number:02}.whl": (180_000 + 9_000 * number, DAY) for number in range(24)},
    **{f"http://registry.example/lib-{number}.tgz": (40_000 + 5_000 * number, DAY) for number in range(12)},
    f"http://{EXPLAINED}": (62_000, {**DAY, "ETag": '"v7"', "Content-Type": "font/woff2"}),
    "http://packages.example/simple/": (22_000, {"Cache-Control": "max-age=600", "ETag": '"41"'}),
}
"""Sizes and fields of what may be stored."""

OTHERS: Mapping[str, Mapping[str, str]] = {
    "http://api.example/v1/session": {"Cache-Control": "no-store"},
    "http://api.example/v1/basket": {"Cache-Control": "private"},
    "http://news.example/": {"Cache-Control": "max-age=60", "Set-Cookie": "visitor=8f2a"},
}
"""Fields of what may not be stored."""

REQUESTS = 700

STEP = 60
"""Seconds between two points of the time before."""


@contextmanager
def used_proxy(folder: Path) -> Iterator[str]:
    """Run a proxy that was used, for the time of the context. Its value is the address of its page."""
    chance = random.Random(7)  # the same example each time
    ca = folder / "ca"
    ca.mkdir()
    origin = AllHostsOrigin(ThrowawayCA(ca, "example"), "origin.example")
    try:
        _offer_all(origin, chance)
        _remember_a_day(folder / "store", chance)
        with Proxy(folder, settings={"ORIGIN__PROXY": origin.proxy}) as proxy:
            _use(proxy, chance)
            yield proxy.run("page", "--print-url").strip()
    finally:
        origin.stop()


def _offer_all(origin: AllHostsOrigin, chance: random.Random) -> None:
    for url, (size, fields) in FILES.items():
        origin.offer(url, _slow(chance.uniform(0.02, 0.09), b"x" * size, fields))
    for url, unwanted in OTHERS.items():
        origin.offer(url, _slow(chance.uniform(0.01, 0.05), b"x" * 900, unwanted))


def _slow(seconds: float, content: bytes, fields: Mapping[str, str]) -> Callable[[Exchange], None]:
    """Return a page that the origin sends after some seconds."""

    def answer(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.reply(200, content, fields)

    return answer


def _remember_a_day(store: Path, chance: random.Random) -> None:
    """Write what the proxy would have counted in the 24 hours before."""
    store.mkdir(mode=0o700)
    series, now = SeriesFile(store), time.time()
    for at in range(int(now) - 86_400, int(now) - 1, STEP):
        daily = 1.1 + math.sin((at % 86_400 / 86_400 - 0.3) * 2 * math.pi)
        responses = int(330 * daily * chance.uniform(0.6, 1.3))
        hits, misses, bypassed = int(responses * 0.84), int(responses * 0.07), int(responses * 0.03)
        counts = (hits, int(chance.random() < 0.04) * 6, int(responses * 0.06), misses, bypassed, 0)
        series.add(at, (*counts, hits * 90_000, misses * 90_000, hits * 60))


def _use(proxy: Proxy, chance: random.Random) -> None:
    """Send requests: first for a page that is missing offline, and the explained one last."""
    admin_of(proxy).send("PUT", "/modes", {"mode": "offline", "host": "docs.example"})
    visit(proxy, "http://docs.example/guide.html")
    stored, others = list(FILES), list(OTHERS)
    for _ in range(REQUESTS):
        visit(proxy, chance.choice(others) if chance.random() < 0.08 else chance.choice(stored))
    visit(proxy, stored[0])
    visit(proxy, f"http://{EXPLAINED}")
    visit(proxy, others[0])
