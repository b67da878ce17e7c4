"""The cache as an addon of mitmdump, beside another addon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.pages import page
from tests.fixtures.proxy_process import COMMANDS, Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl, run

OTHER_ADDON = Path(__file__).with_name("greeting_addon.py")


@pytest.mark.parametrize("started", ["by mitmdump -s", "by secondhand"])
def test_mitmdump_answers_from_the_copy_and_the_other_addon_still_works(
    tmp_path: Path, ca: ThrowawayCA, either_origin: Origin, started: str
) -> None:
    addon = run(tmp_path, str(COMMANDS / "secondhand"), "addon").strip()
    start = ("secondhand", "mitmdump") if started == "by secondhand" else ("mitmdump", "-s", addon)
    command = (*start, "-s", str(OTHER_ADDON), "--listen-host", "127.0.0.1", "--listen-port", "0")
    url = either_origin.offer(f"/{started[3:].split()[0]}", page(b"beside"))

    options = (f"confdir={tmp_path / 'own-ca'}", f"ssl_verify_upstream_trusted_ca={ca.file}")
    settings = (argument for option in options for argument in ("--set", option))
    with Proxy(tmp_path, ca.file, (*command, *settings)) as proxy:
        first, second = curl(proxy, url), curl(proxy, url)

        # the other addon has changed it: it is no 200 of the origin any more
        assert (first.status, first.content, first.fields["X-Greeting"]) == (203, b"beside", "hello")
        assert (second.status, second.content, second.fields["X-Greeting"]) == (203, b"beside", "hello")
        assert proxy.counters()["hits"] == 1
