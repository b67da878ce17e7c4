"""Node's fetch with the proxy."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixtures.pages import page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program, run

SCRIPT = Path(__file__).with_name("fetch.mjs")


def test_the_second_fetch_gets_the_copy_as_203_and_is_still_ok(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/node", page(b"fetched"))

    printed = run(
        proxy.folder,
        *(program("node"), str(SCRIPT), "127.0.0.1", str(proxy.port), url, url),
        NODE_EXTRA_CA_CERTS=str(proxy.certificate),
    )

    first, second = map(json.loads, printed.splitlines())
    assert first == {"status": 200, "ok": True, "text": "fetched"}
    assert second == {"status": 203, "ok": True, "text": "fetched"}
    assert len(either_origin.requests_for("/node")) == 1
