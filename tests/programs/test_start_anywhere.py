"""The commands for a user without a home, on a read-only system where only the store's directory can be written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.environment import PROXY_VARIABLES, environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.programs.installed_programs import program

SYSTEM = """
mount -t tmpfs -o mode=700 tmpfs "$1"
mount -o remount,bind,ro /
for place in /tmp /var/tmp /dev/shm; do mount -o remount,bind,ro "$place" 2>/dev/null; done
shift
cd /
exec unshare --user --map-user=65534 --map-group=65534 env --unset=HOME "$@"
"""
"""A script that makes everything but a directory read-only, and runs a command as the user `nobody`."""

Runs = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the directory of the store, the only one that can be written."""
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def on_bare_system(store: Path) -> Runs:
    """Return a function that runs a command there."""
    namespaces = [program("unshare"), "--map-root-user", "--mount", "sh", "-c", SYSTEM, "sh", str(store)]

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*namespaces, *command],
            env=environment(store, f"{PROXY_VARIABLES}|TMPDIR") | {"SECONDHAND_LISTEN": "127.0.0.1:0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    tried = run("sh", "-c", f"id -u; ! touch {store.parent}/other 2>/dev/null && touch {store}/file")
    if tried.returncode:
        pytest.skip(f"namespaces are not allowed here: {tried.stderr}")
    assert tried.stdout == "65534\n"
    return run


SCRIPT = """
"$0" serve --store "$1" $2 >"$1/output" 2>&1 &
proxy=$!
while ! grep -q 'its copies are in' "$1/output"; do kill -0 $proxy || { cat "$1/output"; exit 1; }; sleep 0.1; done
"$0" trust export --store "$1"
kill $proxy
wait $proxy && ls "$1"
"""


@pytest.mark.parametrize("options", ["", "--mode socks5", "--workers 2"])
def test_a_proxy_keeps_its_ca_in_the_directory_of_the_store(on_bare_system: Runs, store: Path, options: str) -> None:
    done = on_bare_system("sh", "-c", SCRIPT, COMMANDS / "secondhand", store, options)
    assert done.returncode == 0, done
    assert "BEGIN CERTIFICATE" in done.stdout
    assert {"ca", "cache.db"} <= set(done.stdout.split())


def test_an_edge_needs_no_ca(on_bare_system: Runs, store: Path) -> None:
    script = SCRIPT.replace('"$0" trust export --store "$1"', "")
    done = on_bare_system("sh", "-c", script, COMMANDS / "secondhand", store, "--edge http://127.0.0.1:9")
    assert done.returncode == 0, done
    assert "cache.db" in done.stdout.split()
    assert "ca" not in done.stdout.split()


def test_a_command_is_run(on_bare_system: Runs, store: Path) -> None:
    script = 'grep --count "BEGIN CERTIFICATE" "$SSL_CERT_FILE" && echo "$SSL_CERT_FILE"'
    done = on_bare_system(COMMANDS / "secondhand", "run", "--store", store, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    assert str(store) in done.stdout


COMMAND_LINES = (
    *("version", "addon", "env", "status", "stats", "ls", "purge --all", "mode", "online", "doctor"),
    *("why http://a.test/", "show http://a.test/", "trust export", "trust status", "config check", "config show"),
    *("queue list", "recordings list", "record x", "export x --format har", "run -- true", "run --offline -- true"),
    *("serve", "serve --mode socks5", "serve --workers 2", "warm http://127.0.0.1:1/", "lint http://127.0.0.1:1/"),
)


def test_without_a_place_for_a_store_every_command_says_so_in_a_sentence(on_bare_system: Runs) -> None:
    script = 'for command in "$@"; do echo "== $command"; "$0" $command; done 2>&1'
    done = on_bare_system("sh", "-c", script, COMMANDS / "secondhand", *COMMAND_LINES)
    assert done.stdout.count("== ") == len(COMMAND_LINES)
    assert "Traceback" not in done.stdout
    assert "Errno" not in done.stdout
