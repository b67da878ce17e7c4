"""Counters by host: they add up to those of all hosts, and there are not many."""

from __future__ import annotations

import re

from addon.runtime.host_counters import FIXED_HOST_COUNTERS, MAX_HOSTS, OTHER_HOSTS, HostCounters
from tests.addon.frontend.front_end import FrontEndUnderTest, get, request_head, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import Peer, RawOrigin

VALIDATED = 'Cache-Control: no-cache\r\nETag: "1"'
FIELDS = {"fresh": "Cache-Control: max-age=60", "validated": VALIDATED, "no-store": "Cache-Control: no-store"}


async def pages(peer: Peer) -> None:
    """Answer requests by the first word in their path, until the client closes the connection."""
    while True:
        head = (await peer.request()).decode()
        fields = FIELDS[re.split("[/ ]", head)[2]]
        status, body = ("304 Not Modified", "") if "if-none-match" in head.lower() else ("200 OK", "hello")
        length = "" if status.startswith("304") else "Content-Length: 5\r\n"
        await peer.send(
            f"HTTP/1.1 {status}\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n{fields}\r\n{length}\r\n{body}".encode()
        )


def test_later_hosts_are_counted_together() -> None:
    counters = HostCounters()
    for number in range(MAX_HOSTS + 5):
        counters.count(f"{number}.example", "requests", 1)
    described = counters.described()
    assert len(described) == MAX_HOSTS + 1
    assert next(iter(described)) == OTHER_HOSTS
    assert described[OTHER_HOSTS]["requests"] == 5
    assert counters.counted_as("another.example") == OTHER_HOSTS


def test_what_other_processes_have_counted_is_added() -> None:
    total, one = HostCounters(), HostCounters()
    one.count("a.example", "hits", 2)
    for _ in range(2):
        total.add(one.described())
    assert total.described()["a.example"] == {**dict.fromkeys(FIXED_HOST_COUNTERS, 0), "hits": 4}


def test_the_counters_of_all_hosts_add_up() -> None:
    """Hot responses, templates and validation plans count by themselves, and the pipeline for all others."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, over_http2 = await front_end.client(), await http2_client(front_end, origin)
        for kind in FIELDS:
            for path in (f"/{kind}/1", f"/{kind}/2", f"/{kind}/3", f"/{kind}/1", f"/{kind}/1", f"/{kind}/1"):
                await client.fetch(get(origin, path))
                host = f"localhost:{origin.port}"
                await client.fetch(request_head(f"GET http://{host}{path} HTTP/1.1", f"Host: {host}"))
            for _ in range(3):
                await over_http2.fetch(f"/{kind}/1")
        counters, hosts = front_end.service.counters.snapshot(), front_end.service.counters.hosts()
        total = {name: sum(host[name] for host in hosts.values()) for name in FIXED_HOST_COUNTERS}
        assert set(hosts) == {f"127.0.0.1:{origin.port}", f"localhost:{origin.port}"}
        assert hosts[f"localhost:{origin.port}"]["requests"] == 18
        for name in ("requests", "hits", "stale", "octets.from_copy", "octets.from_origin"):
            assert total[name] == counters[name], name
        assert total["hits"] > 0
        assert sum(host["not_stored.no-store"] for host in hosts.values()) == counters["not_stored.no-store"] > 0

    run_conversation(conversation, pages)


def test_requests_that_fail_are_counted_and_ports_are_told_apart() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/fresh/1"))
        async with RawOrigin(pages) as other:
            await client.fetch(get(other, "/fresh/1"))
        assert (await client.fetch(get(other, "/fresh/2"))).status == 502  # it is down now
        assert (await client.fetch(get(other, "/fresh/2", "Cache-Control: only-if-cached"))).status == 504
        hosts = front_end.service.counters.hosts()
        counted = {host: (counters["requests"], counters["failures"]) for host, counters in hosts.items()}
        assert counted == {f"127.0.0.1:{origin.port}": (1, 0), f"127.0.0.1:{other.port}": (3, 1)}

    run_conversation(conversation, pages)
