"""`secondhand status`: the processes of running proxies, their connections, and the sections that other parts add."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from addon.cli.find_proxy import proxies_whatever_the_settings
from addon.cli.options import ConfigOption, JsonOption, StoreOption
from addon.cli.terminal import FAILED, fail, print_json, print_line, print_note, print_table
from addon.config.units import time_text
from addon.runtime.control_client import ControlError

WORKER_COLUMNS = ("pid", "since", "connections", "draining")
"""Sections of a worker that are columns of the table of workers. The others are printed by themselves."""


def status(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print the processes of running proxies, where they listen, and how many connections each has."""
    directory, running = proxies_whatever_the_settings(config, store)
    proxies = []
    for client in running:
        try:
            proxies.append(client.ask("status"))
        except ControlError as error:  # the other proxies are still described
            print_note(str(error))
    if as_json:
        print_json({"proxies": proxies})
    if not proxies:
        fail(f"no proxy is running on {directory}", FAILED)
    for number, proxy in enumerate([] if as_json else proxies):
        if number:
            print_line("")
        _print(proxy)


def _print(proxy: Mapping[str, object]) -> None:
    workers = _tables(proxy["workers"])
    apart = ("sites", "workers")
    print_table(["PROXY", ""], [row for name in proxy if name not in apart for row in _rows(name, proxy[name])])
    if origins := [row for site in _tables(proxy.get("sites")) for row in _origin_rows(site)]:
        print_line("")
        print_table(["SITE", "ORIGIN", "STATE", ">REQUESTS", ">FAILURES", "PROBLEM"], origins)
    print_line("")
    print_table([">PID", ">RUNS FOR", ">CONNECTIONS", "STATE"], map(_worker_row, workers))
    others = [
        (str(worker["pid"]), *row)
        for worker in workers
        for name in worker
        if name not in WORKER_COLUMNS
        for row in _rows(name, worker[name])
    ]
    if others:
        print_line("")
        print_table([">PID", "SECTION", ""], others)


def _tables(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _origin_rows(site: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    hosts = site["hosts"]
    name = str(hosts[0]) if isinstance(hosts, list) and hosts else ""
    for origin in _tables(site["origins"]):
        yield name, *(str(origin[key]) for key in ("url", "state", "requests", "failures", "problem"))


def _worker_row(worker: Mapping[str, object]) -> tuple[str, ...]:
    runs_for = time_text(max(time.time() - float(str(worker["since"])), 0))
    state = "ends when no connection is left" if worker.get("draining") else "serves clients"
    return str(worker["pid"]), runs_for, str(worker.get("connections", "")), state


def _rows(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Return the rows for a section: a table has one for each of its entries."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _rows(f"{name}.{key}", inner)
        case list():
            if value:
                yield name, ", ".join(map(str, value))
        case None | "":
            pass
        case _:
            yield name, str(value)
