"""The commands on a shared store, without a running proxy."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand as run
from tests.fixtures.free_port import free_port
from tests.fixtures.redis_server import needs_redis, shared_redis_server
from tests.fixtures.redis_stores import redis_store
from tests.fixtures.stored_entries import new_entry, put

pytestmark = [pytest.mark.usefixtures("default_settings"), needs_redis]

URL = "http://a.test/page"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a settings file of a shared store with one copy."""
    server, prefix = shared_redis_server(), f"{tmp_path}:"
    with closing(redis_store(server.url, prefix)) as store:
        put(store, new_entry(URL, tags="news"))
    return written(tmp_path, server.url, prefix)


def written(folder: Path, url: str, prefix: str = "x") -> Path:
    file = folder / "settings.toml"
    store = f'kind = "redis"\npath = "{folder}/store"\nurl = "{url}"\nprefix = "{prefix}"\n'
    file.write_text(f"[store]\n{store}")
    return file


def test_copies_are_listed_shown_counted_and_purged(config: Path, tmp_path: Path) -> None:
    assert URL in run("ls", "--config", config).stdout
    assert URL in run("show", URL, "--config", config).stdout
    counted = json.loads(run("stats", "--json", "--config", config).stdout)["store"]
    assert (counted["kind"], counted["entries"], counted["max_size"]) == ("redis", 1, None)
    assert re.search(r"^engine use\t[0-9.]+ B$", run("stats", "--config", config).stdout, re.MULTILINE)
    assert run("purge", "--tag", "news", "--config", config).stdout == "1 copy deleted\n"
    assert URL not in run("ls", "--config", config).stdout
    logged = [
        json.loads(line) for file in (tmp_path / "store").glob("*purge*") for line in file.read_text().splitlines()
    ]
    assert [(line["what"], line["copies"]) for line in logged] == [("tag news", 1)]


def test_an_engine_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.cli.store._PATIENCE", 3.0)
    place = f"127.0.0.1:{free_port()}"
    result = run("ls", "--config", written(tmp_path, f"redis://:secret@{place}"))
    assert result.exit_code == 1
    assert f"the engine of the shared store at {place} cannot be used: {place} cannot be reached" in result.stderr
    assert "secret" not in result.stderr


def test_a_bad_url_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    result = run("config", "check", "--config", written(tmp_path, "http://:secret@cache.example"))
    assert result.exit_code == 2
    assert 'store.url: found "http://cache.example", expected "redis://HOST:PORT/0"' in result.stderr
    assert "secret" not in result.stderr


def test_the_settings_are_printed_without_the_password(tmp_path: Path) -> None:
    for as_json in ([], ["--json"]):
        shown = run("config", "show", *as_json, "--config", written(tmp_path, "redis://:secret@cache.example")).stdout
        assert "redis://:...@cache.example" in shown
        assert "secret@" not in shown
