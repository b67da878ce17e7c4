"""The commands ls and purge, with a real store on disk, without and with a running proxy."""

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import keep, running_proxy
from tests.fixtures.terminals import on_a_terminal

pytestmark = pytest.mark.usefixtures("default_settings")


# ---- ls


def test_ls_lists_responses_by_url(directory: Path) -> None:
    lines = run("ls", "--store", directory).stdout.splitlines()
    assert lines[0].split("\t") == ["STATUS", "METHOD", "AGE", "SIZE", "STATE", "URL"]
    rows = [line.split("\t") for line in lines[1:]]
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in rows] == [
        ("200", "GET", "5 B", "fresh", "http://a.test/one"),
        ("200", "GET", "97.7 KiB", "fresh", "http://a.test/two.whl"),
        ("200", "GET", "5 B", "stale", "https://b.test/old?q=1"),
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("a.test", 2), ("*.whl", 1), ("https://*", 1), ("OLD?q", 1), ("https://b.test/old?q=1", 1), ("nothing", 0)],
)
def test_ls_takes_a_part_of_a_url_or_a_pattern(directory: Path, pattern: str, found: int) -> None:
    result = run("ls", pattern, "--store", directory, "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == found


def test_ls_as_json(directory: Path) -> None:
    [copy] = json.loads(run("ls", "one", "--store", directory, "--json").stdout)
    assert copy["url"] == "http://a.test/one"
    assert (copy["method"], copy["status"], copy["size"], copy["lifetime"]) == ("GET", 200, 5, 3600)
    assert copy["state"] == "fresh"


def test_ls_of_a_missing_store_prints_nothing_and_creates_nothing(tmp_path: Path) -> None:
    result = run("ls", "--store", tmp_path / "none")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "nothing is stored" in result.stderr
    assert not (tmp_path / "none").exists()


def test_ls_does_not_change_a_directory_that_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    tmp_path.chmod(0o755)
    result = run("ls", "--store", tmp_path)
    assert result.exit_code == 0
    assert "nothing is stored" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_ls_escapes_control_characters(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 24)
    keep(store, "http://a.test/\x9b2J")  # some terminals read this as an escape sequence
    store.close()
    assert r"http://a.test/\x9b2J" in run("ls", "--store", tmp_path).stdout


def test_ls_wraps_long_urls_on_a_terminal_of_80_columns(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 24)
    keep(store, "http://a.test/" + "long/" * 40)
    store.close()
    output = on_a_terminal("ls", "--store", str(tmp_path / "store"))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in output.splitlines()]
    assert max(map(len, lines)) <= 80
    assert "".join(line.rstrip().rsplit("  ", 1)[-1].strip() for line in lines[1:]) == "http://a.test/" + "long/" * 40


def test_a_store_that_cannot_be_used_is_a_failure_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("ls", "--store", tmp_path / "file")
    assert result.exit_code == 1
    assert str(tmp_path / "file") in result.stderr


# ---- purge


def test_purge_deletes_a_url(directory: Path) -> None:
    result = run("purge", "http://a.test/one", "--store", directory)
    assert (result.exit_code, result.stdout) == (0, "1 copy deleted\n")
    again = run("purge", "http://a.test/one", "--store", directory)
    assert (again.exit_code, again.stdout) == (3, "0 copies deleted\n")


def test_purge_deletes_a_host_or_everything(directory: Path) -> None:
    assert run("purge", "--host", "a.test", "--store", directory).stdout == "2 copies deleted\n"
    assert json.loads(run("purge", "--all", "--store", directory, "--json").stdout) == {"deleted": 1}
    assert json.loads(run("ls", "--store", directory, "--json").stdout) == []


@pytest.mark.parametrize("arguments", [[], ["http://a.test/one", "--all"], ["--host", "a.test", "--all"]])
def test_purge_takes_exactly_one_of_url_host_and_all(directory: Path, arguments: list[str]) -> None:
    result = run("purge", *arguments, "--store", directory)
    assert result.exit_code == 2
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3


def test_purge_is_sent_to_the_running_proxies(directory: Path) -> None:
    calls: list[Mapping[str, object]] = []

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        calls.append(arguments)
        return {"deleted": 2}

    with running_proxy(directory, purge=purge), running_proxy(directory, purge=purge):
        assert run("purge", "http://a.test/one", "--store", directory).stdout == "4 copies deleted\n"
        run("purge", "--host", "a.test", "--store", directory)
        run("purge", "--all", "--store", directory)
    assert calls[::2] == [{"url": "http://a.test/one"}, {"host": "a.test"}, {"all": True}]
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3  # these proxies delete nothing


def test_a_running_proxy_that_refuses_makes_the_command_fail(directory: Path) -> None:
    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        raise ValueError("the store is read-only")

    with running_proxy(directory, purge=purge):
        result = run("purge", "--all", "--store", directory)
    assert result.exit_code == 1
    assert "the store is read-only" in result.stderr


def test_purge_waits_for_a_proxy_whose_directory_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy makes its socket again within moments, and may still have the copy in memory."""

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        return {"deleted": 1}

    with ExitStack() as later:
        monkeypatch.setattr(
            "addon.cli.store.time.sleep", lambda _: later.enter_context(running_proxy(tmp_path, purge=purge))
        )
        result = run("purge", "--all", "--store", tmp_path)
    assert result.stdout == "1 copy deleted\n"


def test_a_memory_store_can_be_read_in_its_proxy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    result = run("ls", "--store", tmp_path)
    assert result.exit_code == 1
    assert "only a running proxy has it" in result.stderr
    assert run("stats", "--store", tmp_path).exit_code == 0
