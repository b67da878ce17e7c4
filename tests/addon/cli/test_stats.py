"""The command stats: in sentences, by host, and as raw counters."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from addon.cli.stats import MAX_REASONS
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.terminals import on_a_terminal

pytestmark = pytest.mark.usefixtures("default_settings")

COUNTERS = {
    "requests": 200,
    "hits": 150,
    "stale": 2,
    "octets.from_copy": 3 * 1024,
    "octets.from_origin": 1024,
    "milliseconds.saved": 65_000,
    "evicted": 1234,
    "not_stored.no-store": 4,
    "not_stored.private": 7,
    "refused.offline": 1,
}
HOST = {"requests": 200, "hits": 150, "stale": 2, "octets.from_copy": 3072, "octets.from_origin": 1024, "failures": 9}


async def stats(_: Mapping[str, object]) -> dict[str, object]:
    return dict(COUNTERS)


async def store(_: Mapping[str, object]) -> dict[str, object]:
    return {"state": "failing", "reason": "the disk is full"}


async def summary(_: Mapping[str, object]) -> dict[str, object]:
    return {"since": 0.0, "hosts": {"a.example": HOST}, "contents": {"entries": 2, "size": 512, "max_size": 2048}}


def test_stats_of_the_store(directory: Path) -> None:
    result = run("stats", "--store", directory)
    assert result.exit_code == 0
    assert "entries\t3\n" in result.stdout
    assert " of 2 GiB, 0.0%\n" in result.stdout
    assert "no proxy is running" in result.stderr
    found = json.loads(run("stats", "--store", directory, "--json").stdout)["store"]
    assert (found["entries"], found["path"], found["kind"]) == (3, str(directory), "disk")
    assert found["size"] > 100_000


def test_stats_of_a_running_proxy_in_sentences(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store, summary=summary):
        rows = dict(line.split("\t") for line in run("stats", "--store", directory).stdout.splitlines() if line)
    assert rows["since"].startswith("19")  # 1970, or 1969 west of Greenwich
    assert rows["requests"] == "200"
    assert rows["hits"] == "150"
    assert rows["hit rate"] == "75.0% by requests, 75.0% by bytes"
    assert rows["content from copies"] == "3 KiB"
    assert rows["saved"] == "3 KiB and 1m 5s of waiting for origins"
    assert rows["stale responses"] == "2"
    assert rows["not stored"] == "11: private 7, no-store 4"
    assert rows["evicted"] == "1,234"
    assert rows["errors sent to clients"] == "1: offline 1"
    assert rows["failed exchanges"] == "0"
    assert rows["state of the store"] == "can be read, but not all responses can be stored: the disk is full"
    assert rows["memory use"] == "512 B of 2 KiB, 25.0%"


def test_a_row_names_the_most_frequent_reasons_only(directory: Path) -> None:
    async def many(_: Mapping[str, object]) -> dict[str, object]:
        return {f"refused.{number}": number for number in range(1, MAX_REASONS + 3)}

    with running_proxy(directory, stats=many, store=store, summary=summary):
        assert "\t21: 6 6, 5 5, 4 4, 3 3, ...\n" in run("stats", "--store", directory).stdout


def test_stats_by_host_fit_a_terminal(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store, summary=summary):
        printed = run("stats", "--store", directory, "--hosts").stdout
        shown = on_a_terminal("stats", "--store", str(directory), "--hosts")
    assert "a.example\t200\t150\t75.0%\t2\t3 KiB\t1 KiB\t9\n" in printed
    assert "FAILURES" in shown


def test_raw_counters(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store, summary=summary):
        printed = run("stats", "--store", directory, "--all").stdout
        [proxy] = json.loads(run("stats", "--store", directory, "--json").stdout)["proxies"]
    assert "octets.from_copy\t3072\n" in printed
    assert "state\tfailing\nreason\tthe disk is full\n" in printed
    assert proxy == {
        "socket": str(directory / f"control-{os.getpid()}.sock"),
        "store": {"state": "failing", "reason": "the disk is full"},
        "counters": COUNTERS,
        "since": 0.0,
        "hosts": {"a.example": HOST},
        "contents": {"entries": 2, "size": 512, "max_size": 2048},
        "distrusted": {},
    }


def test_stats_of_a_proxy_of_an_older_version(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store):
        result = run("stats", "--store", directory, "--hosts")
    assert result.exit_code == 0
    assert "hits\t150\n" in result.stdout
    assert "since" not in result.stdout


def test_stats_lists_proxies_although_the_store_cannot_be_opened(directory: Path) -> None:
    async def answer(arguments: Mapping[str, object]) -> dict[str, object]:
        return {"state": "closed"}

    (directory / "cache.db").unlink()
    (directory / "cache.db").mkdir()
    with running_proxy(directory, stats=answer, store=answer):
        result = run("stats", "--store", directory, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert "cannot be" in found["store"]["problem"]
    assert [proxy["store"] for proxy in found["proxies"]] == [{"state": "closed"}]


def test_hosts_for_which_clients_did_not_accept_the_certificate(directory: Path) -> None:
    async def failed_hosts(_: Mapping[str, object]) -> dict[str, object]:
        return {"distrusted": {"a.test": 1, "b.test": 3, "c.test": 1, "d.test": 1}, "not_reached": {}}

    handlers = {"stats": stats, "store": store, "summary": summary, "failed-hosts": failed_hosts}
    with running_proxy(directory, **handlers):
        rows = dict(line.split("\t") for line in run("stats", "--store", directory).stdout.splitlines() if line)
    told = rows["certificate not accepted"]
    assert told.startswith("6 connections of clients, for b.test, a.test, c.test and 1 more: have them trust the CA")
    assert "secondhand doctor" in told
