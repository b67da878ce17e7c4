"""`secondhand run` and `secondhand env`: programs sent through the cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path

from addon.authority import authority_certificate
from addon.cli.options import ConfigOption, StoreOption, configuration
from addon.cli.terminal import FAILED, WRONG_USAGE, fail, note
from addon.configuration import FILE_VARIABLE
from addon.control import ControlClient, ControlError, running_proxies
from addon.reach import ANYWHERE
from addon.run.command import CannotRun
from addon.run.command import run as run_command
from addon.run.namespace import NoNamespace, leave_the_network
from addon.run.private_proxy import PrivateProxy, ProxyDidNotStart
from addon.run.summary import Look, Summary
from addon.run.trust_files import TrustFiles, write_trust_files
from addon.run.variables import CA_FILES, Shell, script, variables
from addon.settings import Settings
from cache.policy import Mode

LocalhostOption = Annotated[bool, typer.Option("--proxy-localhost", help="Requests for this machine too.")]


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run.")],
    offline: Annotated[bool, typer.Option("--offline", help="Ask no origin; reach nothing but the proxy.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Ask origins while they can be reached (the default).")] = False,
    record: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep every answer in a recording.", show_default=False)
    ] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Through the running proxy, not one of its own.")] = False,
    ci: Annotated[bool, typer.Option("--ci", help="Exit 120 if live while offline, 121 stale, 122 misses.")] = False,
    max_misses: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="With --ci: misses that are allowed.", show_default=False)
    ] = None,
    proxy_localhost: LocalhostOption = False,
    profile: Annotated[str, typer.Option(metavar="NAME", help="Which settings go together.")] = "dev",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Run a command behind a private proxy: what it fetches once, it finds again without a network.

    The command has the terminal, gets the signals and gives the exit code; one line says what came of it.
    """
    if [offline, auto, record is not None, shared].count(True) > 1:
        raise typer.BadParameter("expected at most one of --offline, --auto, --record and --shared")
    if max_misses is not None and not ci:
        raise typer.BadParameter("expected --ci beside it", param_hint="--max-misses")
    if offline:
        try:
            leave_the_network()  # the proxy as well: it will ask nobody
        except NoNamespace as error:
            note(f"no network namespace ({error}): a program that does not heed the proxy variables may go live")
    with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        Path(folder).chmod(0o755)  # apt reads the certificates as a user of its own
        settings = configuration(config, store).settings
        trust = _trust_files(settings, Path(folder))
        mode = Mode.OFFLINE if offline else Mode.AUTO
        said = {"SECONDHAND_PROFILE": profile, "SECONDHAND_CACHE__MODE": mode}
        if record is not None:
            said["SECONDHAND_RECORDINGS__RECORD"] = record
        proxy = _running_proxy(settings) if shared else _private_proxy(settings, config, store, said)
        with proxy as (host, port, control):
            before = _look(control)
            found = variables(f"http://{host}:{port}", trust, os.environ, localhost=proxy_localhost)
            exit_code = _run(command, {**os.environ, **found})
            summary = Summary.between(before, _look(control))
    _tell(summary, command)
    if ci and not exit_code and (breach := summary.breach(offline=offline, max_misses=max_misses)):
        exit_code, sentence = breach
        note(sentence)
    raise typer.Exit(exit_code)


def env(
    shell: Annotated[Shell, typer.Option(help="Whose language to speak.")] = Shell.BASH,
    proxy_localhost: LocalhostOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the variables that send programs to the proxy that `secondhand serve` runs."""
    settings = configuration(config).settings
    folder = user_cache_path("secondhand") / "trust"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    host, port = _reachable(settings)
    if not port:
        fail(f'listen = "{settings.listen}" takes any port: expected one that is known beforehand', WRONG_USAGE)
    trust = _trust_files(settings, folder)
    said = variables(f"http://{host}:{port}", trust, os.environ, localhost=proxy_localhost)
    typer.echo(script(said, shell), nl=False)


def _trust_files(settings: Settings, folder: Path) -> TrustFiles:
    authority = authority_certificate(settings.tls.ca_directory).pem
    return write_trust_files(folder, authority, os.environ, CA_FILES)


def _reachable(settings: Settings) -> tuple[str, int]:
    """Return where clients of this machine reach the proxy, the host as in a URL."""
    host, port = settings.address
    if host in ANYWHERE:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"[{host}]" if ":" in host else host, port


@contextmanager
def _running_proxy(settings: Settings) -> Iterator[tuple[str, int, ControlClient]]:
    proxies = running_proxies(settings.store.directory)
    host, port = _reachable(settings)
    if not proxies or not port:
        fail(f"no proxy is running on {settings.listen} and {settings.store.directory}: secondhand serve", FAILED)
    yield host, port, proxies[0]


@contextmanager
def _private_proxy(
    settings: Settings, config: ConfigOption, store: StoreOption, said: dict[str, str]
) -> Iterator[tuple[str, int, ControlClient]]:
    if config is not None:
        said = {**said, FILE_VARIABLE: str(config)}
    try:
        with PrivateProxy(_private_store(settings, store), said) as proxy:
            yield "127.0.0.1", proxy.port, proxy.control
    except ProxyDidNotStart as error:
        fail(str(error).removeprefix("secondhand: "), FAILED)


def _private_store(settings: Settings, store: StoreOption) -> Path:
    """Return the store that `--store` names, or else the one beside the shared one (what is in it is one user's)."""
    shared = settings.store.directory
    return shared if store is not None else shared.with_name(f"{shared.name}-private")


def _run(command: Sequence[str], environ: dict[str, str]) -> int:
    try:
        return run_command(command, environ)
    except CannotRun as error:
        fail(str(error), error.exit_code)


def _look(control: ControlClient) -> Look:
    """Return what a proxy has counted and missed by now; nothing if it is gone."""
    try:
        return Look.of(control.ask("stats"), control.ask("missing")["urls"])
    except ControlError as error:
        note(str(error))
        return Look()


def _tell(summary: Summary, command: Sequence[str]) -> None:
    if summary.is_empty:
        note(f"no request of {command[0]} came through the proxy: it needed none, or does not heed the proxy variables")
    else:
        note(summary.line())
