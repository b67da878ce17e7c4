"""`secondhand stats`: what the store and its proxies have done, in sentences, by host, or as raw counters."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from addon.cli.collected_stats import proxies_of, store_contents
from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, load_shared_or_private
from addon.cli.status import STORE_STATES
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.config.units import percent, size_text, time_text
from addon.programs.run.summary import named, plural
from addon.runtime.control_client import number_in, numbers_in, table_in
from addon.runtime.counters import members_of

MAX_REASONS = 4
"""Reasons that a row names, the most frequent ones."""

Numbers = Mapping[str, int]


def stats(
    everything: Annotated[bool, typer.Option("--all", help="Print all counters by their names.")] = False,
    hosts: Annotated[bool, typer.Option("--hosts", help="Print the counters of each host.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the size of the store, and what its proxies have done since their start."""
    settings = load_shared_or_private(config, store, private=private).settings
    proxies = list(proxies_of(settings))
    contents = store_contents(settings, proxies)
    if as_json:
        print_json({"store": contents, "proxies": proxies})
        return
    print_table(["STORE", ""], _raw_rows(contents) if everything else _store_rows(contents))
    for number, proxy in enumerate(proxies, start=1):
        title = "PROXY" if len(proxies) == 1 else f"PROXY {number}"
        print_line("")
        print_table([title, ""], _raw_rows(table_in(proxy["counters"])) if everything else _proxy_rows(proxy))
        if everything:
            print_line("")
            print_table([f"STORE OF {title}", ""], _raw_rows(table_in(proxy["store"])))
        if hosts:
            print_line("")
            _print_hosts(table_in(proxy["hosts"]))
    if not proxies:
        print_note("no proxy is running on this store")


def _raw_rows(numbers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((name, str(number)) for name, number in numbers.items())


def _store_rows(contents: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield "kind", str(contents["kind"])
    yield "path", str(contents["path"])
    if "problem" in contents:
        yield "problem", str(contents["problem"])
    if "entries" in contents:
        yield from _use_rows("engine use" if contents["kind"] == "redis" else "disk use", contents)


def _use_rows(title: str, contents: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield "entries", f"{number_in(contents['entries']):,}"
    yield title, _use_text(number_in(contents["size"]), contents["max_size"])


def _use_text(size: int, limit: object) -> str:
    if limit is None:  # only the engine of a shared store knows it
        return size_text(size)
    return f"{size_text(size)} of {size_text(number_in(limit))}, {percent(size, number_in(limit))}"


def _proxy_rows(proxy: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    counters = numbers_in(proxy["counters"])
    count = counters.get
    condition = table_in(proxy["store"])
    reason = f": {condition['reason']}" if "reason" in condition else ""
    if proxy["since"] is not None:
        since = float(str(proxy["since"]))
        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
        yield "since", f"{started}, {time_text(max(0.0, time.time() - since))} ago"
    requests, hits = count("requests", 0), count("hits", 0)
    yield "requests", f"{requests:,}"
    yield "hits", f"{hits:,}"
    copied, fetched = count("octets.from_copy", 0), count("octets.from_origin", 0)
    yield "hit rate", f"{percent(hits, requests)} by requests, {percent(copied, copied + fetched)} by bytes"
    yield "content from copies", size_text(copied)
    yield "content from origins", size_text(fetched)
    yield "saved", f"{size_text(copied)} and {time_text(count('milliseconds.saved', 0) / 1000)} of waiting for origins"
    yield "stale responses", f"{count('stale', 0):,}"
    yield "not stored", _by_reason(counters, "not_stored")
    yield "evicted", f"{count('evicted', 0):,}"
    yield "errors sent to clients", _by_reason(counters, "refused")
    yield "failed exchanges", _by_reason(counters, "failures")
    if distrusted := table_in(proxy["distrusted"]):
        yield "certificate not accepted", _distrust_text(distrusted)
    state = str(condition.get("state", ""))
    yield "state of the store", f"{STORE_STATES.get(state, state)}{reason}"
    if in_memory := table_in(proxy["contents"]):
        yield from _use_rows("memory use", in_memory)


def _distrust_text(distrusted: Mapping[str, object]) -> str:
    connections = sum(map(number_in, distrusted.values()))
    hosts = sorted(distrusted, key=lambda host: -number_in(distrusted[host]))
    of_clients = f"{connections:,} {plural('connection', connections)} of clients"
    return (
        f"{of_clients}, for {named(hosts, ', ')}: have them trust the CA"
        " (the set-up page, at the address of the proxy, says how; secondhand doctor checks programs on this machine)"
    )


def _by_reason(counters: Numbers, family: str) -> str:
    """Return the sum of a family of counters, and its largest members."""
    members = members_of(counters, family)
    reasons = ", ".join(f"{name} {count:,}" for name, count in [*members.items()][:MAX_REASONS])
    more = ", ..." if len(members) > MAX_REASONS else ""
    return f"{sum(members.values()):,}" + (f": {reasons}{more}" if members else "")


def _print_hosts(hosts: Mapping[str, object]) -> None:
    columns = ["HOST", ">REQUESTS", ">HITS", ">HIT RATE", ">STALE", ">FROM COPIES", ">FROM ORIGIN", ">FAILURES"]
    rows = []
    for host, counted in hosts.items():
        counters = numbers_in(counted)
        requests, hits = counters["requests"], counters["hits"]
        sizes = size_text(counters["octets.from_copy"]), size_text(counters["octets.from_origin"])
        numbers = f"{requests:,}", f"{hits:,}", percent(hits, requests), f"{counters['stale']:,}"
        rows.append((host, *numbers, *sizes, f"{counters['failures']:,}"))
    print_table(columns, rows)
