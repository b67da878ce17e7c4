"""`secondhand status`: the processes of running proxies, their connections, and the sections that other parts add."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from addon.cli.failing_origins import failing_origins
from addon.cli.find_proxy import fail_without_proxy, proxies_whatever_the_settings
from addon.cli.options import ConfigOption, JsonOption, StoreOption
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.config.units import time_text
from addon.runtime.control_client import ControlError, tables_in

WORKER_COLUMNS = ("pid", "since", "connections", "requests", "cpu_seconds", "draining")
"""Sections of a worker that are columns of the table of workers. The others are printed by themselves."""


STORE_STATES = {
    "open": "works",
    "failing": "can be read, but not all responses can be stored",
    "closed": "cannot be used; responses are passed on",
}
"""The states of a store, in words."""


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
        fail_without_proxy(directory)
    for number, proxy in enumerate([] if as_json else proxies):
        if number:
            print_line("")
        _print(proxy)


def _print(proxy: Mapping[str, object]) -> None:
    workers, modes = tables_in(proxy["workers"]), proxy["mode"]
    apart = ("mode", "sites", "store", "workers")
    rows = [row for name in proxy if name not in apart for row in _rows(name, proxy[name])]
    print_table(["PROXY", ""], [*rows, *_mode_rows(modes), *_store_rows(proxy["store"])])
    if isinstance(modes, dict) and (failing := list(failing_origins(modes))):
        print_line("")
        print_table(["ORIGIN", "PROBLEM"], failing)
    if origins := [row for site in tables_in(proxy.get("sites")) for row in _origin_rows(site)]:
        print_line("")
        print_table(["SITE", "ORIGIN", "STATE", ">REQUESTS", ">FAILURES", "PROBLEM"], origins)
    print_line("")
    print_table([">PID", ">RUNS FOR", ">CONNECTIONS", ">REQUESTS", ">CPU TIME", "STATE"], map(_worker_row, workers))
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


def _mode_rows(modes: object) -> Iterator[tuple[str, str]]:
    if not isinstance(modes, dict):
        return
    yield "mode", str(modes["mode"])
    if recording := modes.get("recording"):
        yield "recording", str(recording)
    yield from ((f"mode of {host}", str(mode)) for host, mode in modes["hosts"].items())


def _store_rows(store: object) -> Iterator[tuple[str, str]]:
    if isinstance(store, dict):
        yield "store", str(store["path"])
        yield "state of the store", STORE_STATES.get(str(store["state"]), str(store["state"]))
        if reason := store.get("reason"):
            yield "problem of the store", str(reason)


def _origin_rows(site: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    hosts = site["hosts"]
    name = str(hosts[0]) if isinstance(hosts, list) and hosts else ""
    for origin in tables_in(site["origins"]):
        yield name, *(str(origin[key]) for key in ("url", "state", "requests", "failures", "problem"))


def _worker_row(worker: Mapping[str, object]) -> tuple[str, ...]:
    runs_for = time_text(max(time.time() - float(str(worker["since"])), 0))
    state = "ends when no connection is left" if worker.get("draining") else "serves clients"
    numbers = (str(worker.get(name, "")) for name in ("connections", "requests"))
    cpu = worker.get("cpu_seconds")  # an older version of the program does not tell it
    return str(worker["pid"]), runs_for, *numbers, "" if cpu is None else time_text(float(str(cpu))), state


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
