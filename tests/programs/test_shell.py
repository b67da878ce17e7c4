"""A shell that has evaluated `secondhand env`. All its commands use the proxy, those of secondhand too."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fixtures.environment import environment
from tests.fixtures.free_port import free_port
from tests.fixtures.pages import page
from tests.fixtures.proxy_process import COMMANDS, Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl, program
from tests.programs.secondhand_run import Runner, RunResult, run_to_end

LEADS_BACK = "the environment's HTTP_PROXY and HTTPS_PROXY would lead back to this proxy: origins are asked directly"


class Shell:
    """The environment of such a shell, for a proxy on `port` with its store in `folder`."""

    def __init__(self, folder: Path, port: int, origin_ca: Path) -> None:
        self.folder = folder
        self._variables = environment(folder) | {
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "SECONDHAND_LISTEN": f"127.0.0.1:{port}",
            "SECONDHAND_STORE__PATH": str(folder / "store"),
            "SECONDHAND_TLS__DIRECTORY": str(folder / "own-ca"),
            "SECONDHAND_ORIGIN__CA_FILES": json.dumps([str(origin_ca)]),
        }
        self.evaluate()

    def evaluate(self) -> RunResult:
        """Set the variables that `secondhand env` prints. Return its result."""
        result = self("env", "--proxy-localhost")
        self._variables |= exports(result.output)
        return result

    def __call__(self, *arguments: str) -> RunResult:
        """Run a command of secondhand in the shell."""
        return run_to_end([str(COMMANDS / "secondhand"), *arguments], self.folder, self._variables)

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the environment of programs in the shell."""
        return self._variables


def exports(script: str) -> dict[str, str]:
    """Return the variables that a script for bash exports."""
    lines = [shlex.split(line)[1].partition("=") for line in script.splitlines()]
    return {name: value for name, _, value in lines}


@pytest.fixture
def shell(tmp_path: Path, ca: ThrowawayCA) -> Shell:
    return Shell(tmp_path, free_port(), ca.file)


def test_a_proxy_started_in_the_shell_sends_requests_to_origins_directly(
    shell: Shell, either_origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = either_origin.offer("/started-in-shell", page(b"hello"))
    for name, value in shell.variables.items():
        monkeypatch.setenv(name, value)
    prefix = "SECONDHAND_"
    settings = {name[len(prefix) :]: value for name, value in shell.variables.items() if name.startswith(prefix)}

    with Proxy(shell.folder, settings=settings) as proxy:
        first, second = curl(proxy, url), curl(proxy, url)
        proxy.stop()

    assert (first.status, second.status, second.content) == (200, 203, b"hello")
    assert (shell.folder / "log").read_text().count(LEADS_BACK) == 1


def test_warm_without_a_running_proxy_sends_requests_to_origins_directly(shell: Shell, either_origin: Origin) -> None:
    url = either_origin.offer("/warmed-in-shell", page(b"hello"))

    ran = shell("warm", url)

    assert (ran.code, ran.errors) == (0, f"secondhand: {LEADS_BACK}\n"), ran.output
    assert len(either_origin.requests_for("/warmed-in-shell")) == 1


def test_a_private_proxy_forwards_to_the_running_proxy(shell: Shell, either_origin: Origin, ca: ThrowawayCA) -> None:
    url = either_origin.offer("/through-both", page(b"hello"))
    settings = {"LISTEN": "127.0.0.1:0", "STORE__PATH": str(shell.folder / "store")}
    with Proxy(shell.folder, ca.file, settings=settings) as proxy:
        assert shell.evaluate().errors == ""  # the address is that of the running proxy, not that of the settings
        ran = shell("run", "--proxy-localhost", "--", program("curl"), "-q", "--silent", "--fail", url)

        assert (ran.code, ran.output, ran.count("fetched")) == (0, "hello", 1), ran.errors
        assert proxy.counters()["requests"] == 1
    assert len(either_origin.requests_for("/through-both")) == 1


def test_a_run_within_a_run_forwards_to_the_outer_proxy(tmp_path: Path, ca: ThrowawayCA, either_origin: Origin) -> None:
    url = either_origin.offer("/nested", page(b"hello"))
    runner = Runner(tmp_path, ca.file)
    inner = str(COMMANDS / "secondhand"), "run", "--store", str(tmp_path / "inner"), "--proxy-localhost", "--"

    ran = runner(
        "--proxy-localhost", "--", *inner, program("curl"), "-q", "--silent", "--fail", url, SECONDHAND_ORIGIN__PROXY=""
    )

    assert (ran.code, ran.output) == (0, "hello"), ran.errors
    assert re.findall(r"(\d+) request", ran.errors) == ["1", "1"]
    assert len(either_origin.requests_for("/nested")) == 1


# ---- the address of the running proxy


def test_env_reports_that_no_proxy_is_running(shell: Shell) -> None:
    ran = shell.evaluate()
    store = f"{shell.folder}/store"
    assert ran.code == 0
    assert ran.errors == (
        f"secondhand: no proxy is running on {store}: start secondhand serve before you use these variables\n"
    )


def test_env_names_the_cas_of_single_programs_that_the_proxy_does_not_know(
    shell: Shell, tmp_path: Path, ca: ThrowawayCA
) -> None:
    other = ThrowawayCA(tmp_path, "other")
    command = [str(COMMANDS / "secondhand"), "env"]
    known = run_to_end(command, shell.folder, {**shell.variables, "NODE_EXTRA_CA_CERTS": str(ca.file)})
    unknown = run_to_end(command, shell.folder, {**shell.variables, "NODE_EXTRA_CA_CERTS": str(other.file)})
    assert "origin.ca_files" not in known.errors
    file = shell.folder / "cache" / "secondhand" / "trust" / "origins.pem"
    assert f"programs here trust CAs that the proxy does not know: add {file} to origin.ca_files" in unknown.errors
    assert other.file.read_bytes() in file.read_bytes()


def test_run_shared_finds_the_proxy_on_any_port(shell: Shell, origin: Origin, ca: ThrowawayCA) -> None:
    url = origin.offer("/shared", page(b"hello"))
    settings = {"LISTEN": "127.0.0.1:0", "STORE__PATH": str(shell.folder / "store")}
    with Proxy(shell.folder, ca.file, settings=settings) as proxy:
        ran = shell("run", "--shared", "--proxy-localhost", "--", program("curl"), "-q", "--silent", "--fail", url)

        assert (ran.code, ran.output) == (0, "hello"), ran.errors
        assert proxy.counters()["requests"] == 1


def test_run_shared_without_a_running_proxy_prints_how_to_start_one(shell: Shell) -> None:
    ran = shell("run", "--shared", "--", "true")
    assert ran.code == 1
    expected = "start one with secondhand serve, or leave out --shared"
    assert ran.errors == f"secondhand: no proxy is running on {shell.folder}/store: {expected}\n"


def test_run_shared_refuses_a_proxy_in_edge_mode(shell: Shell) -> None:
    settings = {"EDGE": "http://127.0.0.1:9", "STORE__PATH": str(shell.folder / "store")}
    with Proxy(shell.folder, settings=settings):
        ran = shell("run", "--shared", "--", "true")
    assert ran.code == 1
    assert ran.errors == "secondhand: the running proxy is an edge: programs cannot use it as their proxy\n"
