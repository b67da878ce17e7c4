"""The command purge, with a real store on disk, without and with a running proxy."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import running_proxy

pytestmark = pytest.mark.usefixtures("default_settings")


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
    purged = json.loads(run("purge", "--all", "--store", directory, "--json").stdout)
    assert (purged["deleted"], purged["copies"]) == (1, 1)
    assert json.loads(run("ls", "--store", directory, "--json").stdout) == []


@pytest.mark.parametrize("arguments", [[], ["http://a.test/one", "--all"], ["--host", "a.test", "--all"]])
def test_purge_takes_exactly_one_of_url_host_and_all(directory: Path, arguments: list[str]) -> None:
    result = run("purge", *arguments, "--store", directory)
    assert result.exit_code == 2
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3


async def commit(_: Mapping[str, object]) -> dict[str, object]:
    return {"is_shared": True}


@pytest.mark.parametrize(("is_shared", "copies"), [(True, 2), (False, 4)], ids=["on disk", "in memory"])
def test_purge_is_sent_to_one_of_the_proxies_on_a_store(directory: Path, is_shared: bool, copies: int) -> None:
    calls: list[Mapping[str, object]] = []
    commits: list[Mapping[str, object]] = []

    async def noted_commit(arguments: Mapping[str, object]) -> dict[str, object]:
        commits.append(arguments)
        return {"is_shared": is_shared}

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        calls.append(arguments)
        return {"copies": 2, "deleted": 2}

    handlers = {"purge": purge, "commit": noted_commit}
    with running_proxy(directory, **handlers), running_proxy(directory, **handlers):
        assert run("purge", "http://a.test/one", "--store", directory).stdout == f"{copies} copies deleted\n"
        run("purge", "--host", "a.test", "--store", directory)
        run("purge", "--all", "--store", directory)
    asked = [
        {name: value for name, value in call.items() if name in ("url", "host", "all")}
        for call in calls[:: copies // 2]
    ]
    assert len(commits) == 6
    assert asked == [{"url": "http://a.test/one"}, {"host": "a.test"}, {"all": True}]
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3  # these proxies delete nothing


def test_a_running_proxy_that_refuses_makes_the_command_fail(directory: Path) -> None:
    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        raise ValueError("the store is read-only")

    with running_proxy(directory, purge=purge, commit=commit):
        result = run("purge", "--all", "--store", directory)
    assert result.exit_code == 1
    assert "the store is read-only" in result.stderr


def test_purge_waits_for_a_proxy_whose_directory_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy makes its socket again within moments, and may still have the copy in memory."""

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        return {"copies": 1, "deleted": 1}

    with ExitStack() as later:
        monkeypatch.setattr(
            "addon.cli.purge.time.sleep",
            lambda _: later.enter_context(running_proxy(tmp_path, purge=purge, commit=commit)),
        )
        result = run("purge", "--all", "--store", tmp_path)
    assert result.stdout == "1 copy deleted\n"


def test_a_memory_store_can_be_read_in_its_proxy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    result = run("ls", "--store", tmp_path)
    assert result.exit_code == 1
    assert "only a running proxy has it" in result.stderr
    assert run("stats", "--store", tmp_path).exit_code == 0
