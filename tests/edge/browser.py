"""A browser without a screen: it keeps cookies, follows redirects, and finds every host at one port."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.fixtures.proxy_process import TIMEOUT

HOST = "shop.test"
"""The host of every application. Its ports are the usual ones, as far as clients and applications can see."""

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class EveryHostAt(httpx.BaseTransport):
    """Connects to one port of 127.0.0.1 for every host, as if the DNS pointed there. TLS is for the host of the URL."""

    def __init__(self, port: int, trusted: Path) -> None:
        self._port = port
        context = ssl.create_default_context(cafile=trusted)
        self._transport = httpx.HTTPTransport(verify=context, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1", port=self._port),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )

    def close(self) -> None:
        self._transport.close()


def browser(scheme: str, port: int, trusted: Path) -> httpx.Client:
    """Return a browser of one person."""
    return httpx.Client(
        transport=EveryHostAt(port, trusted),
        base_url=f"{scheme}://{HOST}",
        headers={"User-Agent": FIREFOX, "Accept-Encoding": "gzip"},
        follow_redirects=True,
        timeout=TIMEOUT,
    )


def is_copy(response: httpx.Response) -> bool:
    """Return whether the response is a copy of secondhand, or of an nginx with a cache."""
    return "; hit" in response.headers.get("Cache-Status", "") or response.headers.get("X-Cache") == "HIT"


def form_token(page: httpx.Response, name: str) -> str:
    """Return the value of a hidden field of a form. Raises AssertionError if there is none."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def pages_of_two(
    ann: httpx.Client, bob: httpx.Client, log_in: Callable[[httpx.Client, str], object], target: str
) -> dict[str, set[str]]:
    """Return the different texts that each of two people gets for a target, while both ask for it 20 times."""

    def visit(name: str, browser: httpx.Client) -> set[str]:
        log_in(browser, name)
        return {browser.get(target).text for _ in range(20)}

    with ThreadPoolExecutor() as people:
        visits = {name: people.submit(visit, name, browser) for name, browser in (("ann", ann), ("bob", bob))}
    return {name: visited.result() for name, visited in visits.items()}
