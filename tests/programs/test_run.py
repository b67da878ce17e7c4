"""`secondhand run`: with a network, and offline. The command behaves as if it ran alone."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.environment import environment
from tests.fixtures.pages import page
from tests.fixtures.proxy_process import COMMANDS
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until
from tests.fixtures.web_origin import Exchange, Origin
from tests.programs.git_repository import FILES, serve_repository
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import Runner, files_below, private_store, without_network


@pytest.fixture(params=["http", "https"])
def stoppable_origin(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[Origin]:
    """Return an origin that a test may stop."""
    with Origin(ca.server_context("localhost") if request.param == "https" else None) as origin:
        yield origin


def fetch_command(url: str) -> tuple[str, ...]:
    return program("curl"), "-q", "--silent", "--show-error", "--fail", url


# ---- with and without a network


def test_a_fetched_response_is_available_without_a_network(runner: Runner, stoppable_origin: Origin) -> None:
    url = stoppable_origin.offer("/a", page(b"hello", cache_control="no-cache"))
    first = runner("--proxy-localhost", "--", *fetch_command(url))
    stoppable_origin.stop()

    second = runner("--offline", "--proxy-localhost", "--", *fetch_command(url))

    assert (first.code, first.output) == (second.code, second.output) == (0, "hello")
    assert (first.count("fetched"), second.count("from copies"), second.count("fetched")) == (1, 1, 0)
    assert second.summary.endswith("nothing missing")


def test_what_is_too_large_to_keep_is_named_and_not_promised(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/large", page(b"x" * 200_000))
    limit = {"SECONDHAND_STORE__MAX_OBJECT": "100 kB"}

    online = runner("--proxy-localhost", "--", *fetch_command(url), **limit)
    offline = runner("--offline", "--proxy-localhost", "--", program("curl"), "-q", "--silent", url, **limit)
    explained = runner.secondhand("why", "--private", url, **limit)

    assert f"1 too large to keep: {url} (195.3 KiB)" in online.summary
    for text in (offline.output, explained.output):
        assert f"The last response to {url} was too large to keep" in text
    assert "This command fetches it" not in offline.output


def test_head_is_answered_without_a_network_after_a_range(runner: Runner, origin: Origin) -> None:
    def part(exchange: Exchange) -> None:
        exchange.reply(206, b"01", {"Content-Range": "bytes 0-1/10"})

    url = origin.offer("/part", part)
    runner("--proxy-localhost", "--", *fetch_command(url), "-r", "0-1")

    offline = runner("--offline", "--proxy-localhost", "--", *fetch_command(url), "-I")

    assert offline.code == 0
    assert offline.output.startswith("HTTP/1.1 203 ")
    assert "Content-Length: 10" in offline.output
    assert "detail=head-of-part" in offline.output
    assert offline.summary.endswith("nothing missing")


def test_a_missing_response_is_named_in_the_summary(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/never-asked-for", page(b"hello"))

    ran = runner("--offline", "--proxy-localhost", "--", *fetch_command(url))

    assert ran.code == 22  # the exit code of curl
    assert f"1 MISSING: {url}" in ran.summary
    assert not origin.requests_for("/never-asked-for")


def test_offline_the_command_can_reach_only_the_proxy(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/around-the-proxy", page(b"hello"))

    ran = runner("--offline", "--", program("curl"), "-q", "--silent", "--noproxy", "*", url)

    assert ran.code == 7  # curl could not connect
    assert not origin.requests_for("/around-the-proxy")
    assert "no request of" in ran.summary


def test_a_repository_is_cloned_again_without_a_network(
    runner: Runner, stoppable_origin: Origin, tmp_path: Path
) -> None:
    url = serve_repository(stoppable_origin, tmp_path / "repository")
    git = program("git"), "clone", "--quiet", url
    first = runner("--proxy-localhost", "--", *git, "first")
    stoppable_origin.stop()

    second = runner("--offline", "--proxy-localhost", "--", *git, "second", wrapper=without_network())

    assert (first.code, second.code) == (0, 0), first.errors + second.errors
    assert files_below(runner.folder / "second") == files_below(runner.folder / "first") == FILES
    assert second.count("from copies") == first.count("requests")


def test_offline_no_connection_is_opened_except_to_the_proxy(runner: Runner, origin: Origin, tmp_path: Path) -> None:
    url = origin.offer("/traced", page(b"hello", cache_control="max-age=0"))
    runner("--proxy-localhost", "--", *fetch_command(url))
    trace = tmp_path / "trace"

    ran = runner(
        "--offline", "--proxy-localhost", "--", *(*fetch_command(url), "--next", *fetch_command(f"{url}-unknown")[1:]),
        wrapper=(program("strace"), "-f", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)),
    )  # fmt: skip

    assert ran.output.startswith("hello")
    inet = [line for line in trace.read_text().splitlines() if "AF_INET" in line and "connect(" in line]
    port = url.split(":")[2].split("/")[0]
    assert inet  # at least the connection of curl to the proxy
    assert all('inet_addr("127.0.0.1")' in line and f"htons({port})" not in line for line in inet)
    assert not any("htons(53)" in line for line in trace.read_text().splitlines())


# ---- exit codes, terminal and signals


@pytest.mark.parametrize("options", [(), ("--offline",)])
def test_the_exit_code_is_that_of_the_command(runner: Runner, options: tuple[str, ...]) -> None:
    assert runner(*options, "--", "sh", "-c", "exit 3").code == 3
    assert runner(*options, "--", "sh", "-c", "kill -KILL $$").code == 128 + signal.SIGKILL
    missing = runner(*options, "--", "no-such-command")
    assert (missing.code, missing.errors) == (127, "secondhand: no-such-command: command not found\n")


@pytest.mark.parametrize("options", [(), ("--offline",)])
def test_the_command_has_the_terminal_and_gets_ctrl_c(runner: Runner, options: tuple[str, ...]) -> None:
    script = "trap 'echo interrupted; exit 9' INT; test -t 0 && echo ready; while :; do sleep 0.1; done"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(runner.folder)
        command = [str(COMMANDS / "secondhand"), "run", *options, "--", "bash", "-c", script]
        os.execve(command[0], command, environment(runner.folder))
    printed = b""
    while b"ready" not in printed:
        printed += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"interrupted" not in printed:
        printed += os.read(terminal, 1000)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 9


def test_the_private_proxy_ends_even_after_kill_9(runner: Runner) -> None:
    process = subprocess.Popen(
        [COMMANDS / "secondhand", "run", "--", "sh", "-c", "echo ready; exec sleep 60"],
        env=environment(runner.folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
    proxy = next(int(child) for child, command in commands.items() if "serve-for-parent" in command)
    command = next(int(child) for child in children if int(child) != proxy)
    process.kill()
    process.wait()
    os.kill(command, signal.SIGKILL)
    wait_until(lambda: not _is_running(proxy))
    process.stdout.close()


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ---- exit codes for CI, profiles, and clients that need settings of their own


def test_ci_has_an_exit_code_for_each_broken_rule(runner: Runner, stoppable_origin: Origin) -> None:
    url = stoppable_origin.offer("/ci", page(b"hello", cache_control="max-age=0"))
    quiet_command = ("sh", "-c", f"curl -q --silent {url} >/dev/null; true")

    assert runner("--ci", "--max-misses", "1", "--proxy-localhost", "--", *quiet_command).code == 0
    assert runner("--ci", "--max-misses", "0", "--proxy-localhost", "--", *fetch_command(f"{url}-2")).code == 22
    missed = runner("--ci", "--max-misses", "0", "--proxy-localhost", "--", "sh", "-c", f"curl -q -s {url}-3; true")
    assert (missed.code, missed.summary) == (122, "secondhand: 1 miss, 0 allowed: 1 uri-miss")
    live = runner("--ci", "--offline", "--proxy-localhost", "--", "sh", "-c", f"curl -q --silent {url}-4; true")
    assert (live.code, live.summary) == (120, f"secondhand: the network was wanted while offline: {url}-4")
    assert runner("--ci", "--offline", "--proxy-localhost", "--", *quiet_command).code == 121


def test_a_private_copy_is_not_used_under_a_shared_profile(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/private", page(b"hello", cache_control="private, max-age=600"))
    runner("--proxy-localhost", "--", *fetch_command(url))
    store = private_store(runner.folder)

    again = runner("--proxy-localhost", "--", *fetch_command(url))
    with_shared_profile = runner("--profile", "pip", "--proxy-localhost", "--", *fetch_command(url))

    assert again.count("from copies") == 1
    assert with_shared_profile.count("from copies") == 0
    listed = subprocess.run(
        [COMMANDS / "secondhand", "show", url, "--store", str(store), "--json"],
        env=environment(runner.folder),
        capture_output=True,
        check=True,
    )
    assert [each["vary"] for each in json.loads(listed.stdout)] == [{"&scope": "dev"}]


def test_node_uses_the_proxy_without_configuration(runner: Runner, either_origin: Origin) -> None:
    url = either_origin.offer("/node-run", page(b"fetched"))
    script = runner.folder / "fetch.mjs"
    script.write_text(
        "import http from 'node:http'; import https from 'node:https';\n"
        "const url = process.argv[2];\n"
        "console.log(await (await fetch(url)).text());\n"
        "(url.startsWith('https') ? https : http).get(url, (response) => { response.pipe(process.stdout); });\n"
    )

    ran = runner("--proxy-localhost", "--", program("node"), str(script), url)

    assert (ran.code, ran.output) == (0, "fetched\nfetched"), ran.errors
    assert (ran.count("requests"), ran.count("from copies")) == (2, 1)
    assert len(either_origin.requests_for("/node-run")) == 1


def test_java_trusts_the_proxy(runner: Runner, either_origin: Origin) -> None:
    url = either_origin.offer("/java", page(b"fetched"))
    source = runner.folder / "Fetch.java"
    source.write_text(
        "public class Fetch { public static void main(String[] a) throws Exception {"
        " System.out.write(new java.net.URL(a[0]).openStream().readAllBytes()); System.out.flush(); } }"
    )

    ran = runner("--proxy-localhost", "--", program("java"), str(source), url)

    assert (ran.code, ran.output) == (0, "fetched"), ran.errors
    assert ran.count("request") == 1


# ---- messages for the user


def test_the_log_that_is_named_has_the_origin_with_an_invalid_certificate(
    tmp_path: Path, secure_origin: Origin
) -> None:
    url = secure_origin.offer("/untrusted", page(b"hello"))

    ran = Runner(tmp_path)("--proxy-localhost", "--", program("curl"), "-q", "--silent", "--output", "/dev/null", url)

    assert "1 failed (1 tls_certificate_error)" in ran.summary
    log = private_store(tmp_path) / "run.log"
    assert f"secondhand: what went wrong: {log}\n" in ran.errors
    assert "has no certificate to be trusted" in log.read_text()


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_ca_that_only_one_program_was_told_to_trust_is_trusted_for_origins(
    tmp_path: Path, secure_origin: Origin, ca: ThrowawayCA, by_variable: bool
) -> None:
    url = secure_origin.offer("/trusted-by-node", page(b"hello"))
    variables = {"NODE_EXTRA_CA_CERTS": str(ca.file)} if by_variable else {}
    if not by_variable:
        (tmp_path / ".npmrc").write_text(f"cafile={ca.file}\n")

    ran = Runner(tmp_path)("--proxy-localhost", "--", *fetch_command(url), SECONDHAND_ORIGIN__PROXY="none", **variables)

    assert (ran.code, ran.output) == (0, "hello"), ran.errors


@pytest.mark.parametrize("distrusting", ["curl", "aria2c"])
def test_a_host_whose_certificate_a_program_does_not_trust_is_in_the_summary(
    runner: Runner, secure_origin: Origin, ca: ThrowawayCA, distrusting: str
) -> None:
    url = secure_origin.offer("/distrust", page(b"hello"))
    # curl sends an alert; aria2 closes the connection
    command = {
        "curl": (*fetch_command(url), "--cacert", str(ca.file)),
        "aria2c": (program("aria2c"), "--quiet", "--max-tries=1", f"--ca-certificate={ca.file}", url),
    }[distrusting]

    ran = runner("--proxy-localhost", "--", *command)

    assert ran.code
    assert "the certificate for localhost was not trusted by a program, or it has pinned another" in ran.summary
