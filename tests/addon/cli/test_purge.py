"""The command purge with each of its scopes, softly and as a dry run, on a store without a running proxy."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.stored_entries import new_entry, put

pytestmark = pytest.mark.usefixtures("default_settings")

URLS = ["http://a.test/blog/1", "http://a.test/blog/2", "http://b.test/"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a store with three copies of 100 bytes, two of them with the tag news."""
    with closing(DiskStore(tmp_path / "store", 1 << 26)) as store:
        for url in URLS:
            put(store, new_entry(url, tags="news" if url.endswith(("/1", "test/")) else ""))
    return tmp_path / "store"


def kept(directory: Path, *, soft: bool = False) -> list[str]:
    with closing(DiskStore(directory, 1 << 26)) as store:
        return [entry.key for entry in store.entries() if entry.soft_purged or not soft]


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--url", URLS[0]], URLS[1:]),
        (["--prefix", "http://a.test/blog"], URLS[2:]),
        (["--pattern", "/blog/?"], URLS[2:]),
        (["--tag", "news"], URLS[1:2]),
        (["--host", "A.test"], URLS[2:]),
        (["--host", "b.test:80"], URLS[:2]),
    ],
    ids=str,
)
def test_purge_deletes_a_scope_or_only_counts_it(directory: Path, arguments: list[str], left: list[str]) -> None:
    count = 3 - len(left)
    copies = f"{count} {'copy' if count == 1 else 'copies'}"
    dry = run("purge", *arguments, "--dry-run", "--store", directory)
    assert (dry.exit_code, dry.stdout) == (0, f"{copies}, {100 * count} B, would be purged\n")
    assert kept(directory) == URLS
    assert run("purge", *arguments, "--soft", "--store", directory).stdout == f"{copies} marked as stale\n"
    assert (kept(directory), len(kept(directory, soft=True))) == (URLS, count)
    assert run("purge", *arguments, "--store", directory).stdout == f"{copies} deleted\n"
    assert kept(directory) == left
    assert run("purge", *arguments, "--store", directory).exit_code == 3


def test_purge_deletes_a_site_of_the_settings(directory: Path, tmp_path: Path) -> None:
    sites = '[[site]]\nhosts = ["a.test", "c.test"]\norigins = ["http://127.0.0.1:1"]\n'
    (tmp_path / "my.toml").write_text(sites)
    options = ["--config", tmp_path / "my.toml", "--store", directory]
    wrong = run("purge", "--site", "b.test", *options)
    assert (wrong.exit_code, "a.test" in wrong.stderr) == (2, True)
    assert run("purge", "--site", "c.test", *options).stdout == "2 copies deleted\n"
    assert kept(directory) == URLS[2:]


def test_each_purge_is_logged(directory: Path) -> None:
    run("purge", "--tag", "news", "--store", directory)
    [line] = (directory / "purges.log").read_text().splitlines()
    logged = json.loads(line)
    assert (logged["what"], logged["copies"], logged["soft"]) == ("tag news", 2, False)
    assert logged["by"].startswith("the user ")


def test_nothing_is_purged_if_the_log_cannot_have_its_path(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('purge.log = "~nosuchuser/x.log"\n')
    refused = run("purge", "--all", "--config", tmp_path / "my.toml", "--store", directory)
    assert refused.exit_code == 2
    assert 'purge.log: found "~nosuchuser/x.log", expected a path without "~"' in refused.stderr
    assert kept(directory) == URLS


@pytest.mark.parametrize(
    "arguments",
    [[], ["--tag", "a", "--host", "b"], [URLS[0], "--url", URLS[0]], ["--tag", ""], ["--url", "no-url"]],
    ids=str,
)
def test_purge_wants_one_scope(directory: Path, arguments: list[str]) -> None:
    assert run("purge", *arguments, "--store", directory).exit_code == 2
    assert kept(directory) == URLS


@pytest.mark.parametrize(
    ("arguments", "command", "listed"),
    [
        (["--tag", "news"], "ls --tag news", [URLS[0], URLS[2]]),
        (["--host", "a.test"], "ls --host a.test", URLS[:2]),
        (["--host", "b.test:80"], "ls --host b.test:80", URLS[2:]),
        (["--all"], "ls", URLS),
    ],
)
def test_a_dry_run_names_the_command_that_lists_what_would_be_purged(
    directory: Path, arguments: list[str], command: str, listed: list[str]
) -> None:
    for as_json in ([], ["--json"]):
        dry = run("purge", *arguments, "--dry-run", *as_json, "--store", directory)
        assert dry.stderr == f"secondhand: this lists them: secondhand {command}\n"
    rows = json.loads(run(*command.split(), "--json", "--store", directory).stdout)
    assert [row["url"] for row in rows] == listed
    assert run("purge", URLS[0], "--dry-run", "--store", directory).stderr == ""
    assert "that matches the options" in run("ls", "--tag", "new", "--store", directory).stderr
