"""The command ls, with a real store on disk."""

import json
import re
import time
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import keep
from tests.fixtures.terminals import on_a_terminal

pytestmark = pytest.mark.usefixtures("default_settings")


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
    assert result.stderr == f"secondhand: nothing is stored in {tmp_path / 'none'}, which does not exist\n"
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


def test_a_long_url_is_whole_on_a_terminal_of_80_columns(tmp_path: Path) -> None:
    """The terminal itself wraps the line, so the URL can be copied."""
    url = "http://a.test/" + "long/" * 40
    store = DiskStore(tmp_path / "store", 1 << 24)
    keep(store, url)
    keep(store, "http://b.test/short", b"x" * 100_000)
    store.close()
    heading, long, short = on_a_terminal("ls", "--store", str(tmp_path / "store")).splitlines()
    assert re.fullmatch(r"STATUS  METHOD  +AGE  +SIZE  STATE  URL", heading)
    assert long.endswith(f"  5 B  fresh  {url}")
    assert short.endswith("  97.7 KiB  fresh  http://b.test/short")


# ---- filters and orders


def urls(*arguments: str | Path) -> list[str]:
    result = run("ls", "--json", *arguments)
    assert result.exit_code == 0
    return [copy["url"] for copy in json.loads(result.stdout)]


ONE, TWO, OLD = "http://a.test/one", "http://a.test/two.whl", "https://b.test/old?q=1"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--host", "a.test"], [ONE, TWO]),
        (["--host", "*.TEST"], [ONE, TWO, OLD]),
        (["--host", "test"], []),
        (["--host", "b.test:443"], [OLD]),
        (["--host", "*.test:80"], [ONE, TWO]),
        (["--host", "a.test:8080"], []),
        (["--state", "stale"], [OLD]),
        (["--state", "fresh", "--limit", "1"], [ONE]),
        (["--state", "invalid"], []),
        (["--sort", "size"], [TWO, ONE, OLD]),
        (["--sort", "size", "--limit", "1"], [TWO]),
        (["--sort", "url", "--limit", "2"], [ONE, TWO]),
    ],
)
def test_ls_filters_and_sorts(directory: Path, options: list[str], found: list[str]) -> None:
    assert urls("--store", directory, *options) == found


def test_ls_lists_what_has_never_answered_a_request(directory: Path) -> None:
    assert urls("--store", directory, "--never-used") == [ONE, TWO, OLD]
    store = DiskStore(directory, 1 << 24)
    for url in (TWO, ONE):
        store.touch(store.candidates(url)[0].id)
        time.sleep(0.002)  # uses are told apart by milliseconds
    store.close()
    assert urls("--store", directory, "--never-used") == [OLD]
    assert urls("--store", directory, "--sort", "used") == [OLD, TWO, ONE]
    used = [copy["last_used"] for copy in json.loads(run("ls", "--store", directory, "--json").stdout)]
    assert used[0] > used[1]
    assert used[2] is None


def test_a_response_without_a_use_counts_as_used_when_it_was_stored(directory: Path) -> None:
    new = "http://a.test/new"
    store = DiskStore(directory, 1 << 24)
    store.touch(store.candidates(ONE)[0].id)
    time.sleep(0.002)  # uses are told apart by milliseconds
    keep(store, new)
    store.close()
    assert urls("--store", directory, "--sort", "used")[2:] == [ONE, new]  # the next to be deleted are first


def test_a_script_gets_one_line_for_each_response(directory: Path) -> None:
    assert len(run("ls", "--store", directory, "--sort", "size").stdout.splitlines()) == 4


def test_ls_says_that_nothing_matches(directory: Path) -> None:
    result = run("ls", "--store", directory, "--state", "invalid")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"secondhand: nothing is stored that matches the options in {directory}\n"


def test_a_copy_that_matches_no_request_is_not_called_fresh(directory: Path) -> None:
    store = DiskStore(directory, 1 << 24)
    keep(store, "http://c.test/star", vary=(("*", None),), fields=[("Vary", "*")])
    store.close()
    lines = run("ls", "--store", directory, "--state", "vary-star").stdout.splitlines()[1:]
    assert [line.split("\t")[4:] for line in lines] == [["vary-star", "http://c.test/star"]]
    explained = run("why", "http://c.test/star", "--store", directory).stdout
    assert "forward\twhat is stored varies by * (Vary: *), which no request matches\tRFC 9111 §4.1\n" in explained
    assert "other values" not in explained
