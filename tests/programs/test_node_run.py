"""Node with `secondhand run`: all of its ways to send requests lead through the proxy, or are noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.pages import page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import Runner

SCRIPT = Path(__file__).with_name("requests.mjs")

WAYS = (
    "fetch",
    "https, global agent",
    "https, own agent",
    "https, no agent",
    "http, own agent",
    "http2, https",
    "http2, http",
)


@pytest.fixture
def registry(ca: ThrowawayCA) -> Iterator[AllHostsOrigin]:
    with AllHostsOrigin(ca, "node.test") as registry:
        registry.offer("http://node.test/a", page(b"hello"))
        registry.offer("https://node.test/a", page(b"hello"))
        yield registry


def test_requests_of_every_kind_come_through_the_proxy(runner: Runner, registry: AllHostsOrigin) -> None:
    urls = "http://node.test/a", "https://node.test/a"

    ran = runner("--", program("node"), str(SCRIPT), *urls, SECONDHAND_ORIGIN__PROXY=registry.proxy)

    answers = dict(line.split(": ") for line in ran.output.splitlines())
    assert {name: answer.removeprefix("20")[1:] for name, answer in answers.items()} == dict.fromkeys(WAYS, " hello")
    assert ran.count("requests") == len(WAYS)
    assert "around the proxy" not in ran.summary


def test_a_connection_around_the_proxy_is_in_the_summary(runner: Runner, registry: AllHostsOrigin) -> None:
    urls = "http://node.test/a", "https://node.test/a"
    unused = "192.0.2.1"  # RFC 5737

    ran = runner("--", program("node"), str(SCRIPT), *urls, unused, SECONDHAND_ORIGIN__PROXY=registry.proxy)

    assert f"1 connection attempted around the proxy (--strict lets none through): {unused}:9" in ran.summary
