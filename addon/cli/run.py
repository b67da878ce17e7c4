"""`secondhand run`: run a command behind a private proxy, or behind the running one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, LocalhostOption, StoreOption, load_private_configuration
from addon.cli.terminal import fail, print_note
from addon.config.private_profile import PROFILE
from addon.programs.run.command import CannotRun
from addon.programs.run.command import run as run_command
from addon.programs.run.direct_connections import VARIABLE as DIRECT_CONNECTIONS
from addon.programs.run.direct_connections import read_direct_connections
from addon.programs.run.namespace import IsolatedNetwork, NoNamespace, leave_the_network
from addon.programs.run.private_log import has_warnings, messages_only, save_log
from addon.programs.run.private_proxy import PrivateOptions, PrivateProxy, ProxyDidNotStart
from addon.programs.run.summary import Snapshot, Summary, without_requests
from addon.programs.run.variables import variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import KnownCertificates, known_certificates, write_origins_file, write_trust_files
from addon.runtime.control_client import ControlClient, ControlError
from addon.runtime.exit_codes import FAILED, NETWORK_NEEDED_OFFLINE, STALE_USED, TOO_MANY_MISSES
from addon.runtime.temporary_files import use_for_temporary_files

MAX_LOG_LINES = 20
"""Lines of a log that are printed if the log cannot be saved."""


@dataclass(frozen=True, slots=True)
class _Proxy:
    """The proxy that the command gets."""

    url: str
    control: ControlClient
    ca: Path
    """The directory of its CA."""
    private: PrivateProxy | None = None
    """The private proxy that it is, if it is one; its store also keeps files of this command."""


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="The command to run, and its arguments.")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no origin; the command can reach the proxy only.")
    ] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Ask origins while they can be reached (the default).")] = False,
    record: Annotated[
        str | None, typer.Option(metavar="NAME", help="Store every response in a recording.", show_default=False)
    ] = None,
    replay: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Offline, with responses from a recording only.", show_default=False),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="The command can reach the proxy only, also while it is online.")
    ] = False,
    shared: Annotated[bool, typer.Option("--shared", help="Use the running proxy, instead of a private one.")] = False,
    ci: Annotated[
        bool,
        typer.Option(
            "--ci",
            help=f"Exit {NETWORK_NEEDED_OFFLINE}: network wanted offline, {STALE_USED}: stale copy,"
            f" {TOO_MANY_MISSES}: too many misses.",
        ),
    ] = False,
    max_misses: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="With --ci: the number of misses that are allowed.", show_default=False),
    ] = None,
    proxy_localhost: LocalhostOption = False,
    profile: Annotated[str, typer.Option(metavar="NAME", help="The profile (a group of settings) to use.")] = PROFILE,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Run a command behind a private proxy with its own cache.

    Responses that the command fetches once are available again without a network. The command keeps the terminal and
    gets all signals, and its exit code is passed on. A last line sums up its requests.
    """
    offline = offline or replay is not None
    if [offline, auto, record is not None, shared].count(True) > 1:
        raise typer.BadParameter("expected at most one of --offline or --replay, --auto, --record and --shared")
    if strict and shared:
        raise typer.BadParameter("expected at most one of --strict and --shared: the running proxy is outside")
    if max_misses is not None and not ci:
        raise typer.BadParameter("expected --ci, too", param_hint="--max-misses")
    file = str(config) if config else None
    private = PrivateOptions(file, store, profile, offline=offline, record=record or "", replay=replay or "")
    use_for_temporary_files(lambda: load_private_configuration(config, store, profile).settings.store.directory)
    known = known_certificates(os.environ)
    with (
        _network(offline=offline, strict=strict) as network,
        tempfile.TemporaryDirectory(prefix="secondhand-") as folder,
        _shared_proxy(config, store) if shared else _private_proxy(private, Path(folder), network, known) as proxy,
    ):
        Path(folder).chmod(0o755)  # apt reads the certificates as another user
        ca = ca_certificate(proxy.ca).pem
        kept = proxy.private.places.store if proxy.private else None
        trust = write_trust_files(Path(folder), ca, known, os.environ, kept=kept)
        before = _snapshot(proxy.control)
        proxy_variables = variables(proxy.url, trust, os.environ, localhost=proxy_localhost)
        direct = Path(folder, "direct")
        exit_code = _run(command, {**os.environ, **proxy_variables, DIRECT_CONNECTIONS: str(direct)}, network)
        summary = Summary.between(before, _snapshot(proxy.control), read_direct_connections(direct))
    if proxy.private:
        _save_log(proxy.private.log, proxy.private.places.store, summary)
    _print_summary(summary, command, localhost=proxy_localhost)
    if ci and not exit_code and (violation := summary.ci_violation(offline=offline, max_misses=max_misses)):
        exit_code, message = violation
        print_note(message)
    raise typer.Exit(exit_code)


@contextmanager
def _network(*, offline: bool, strict: bool) -> Iterator[IsolatedNetwork | None]:
    """Yield a network for the command alone, if it gets one; without origins to ask, leave the network altogether."""
    try:
        if offline:
            leave_the_network()  # together with the proxy, which asks no origin
        elif strict:
            with IsolatedNetwork.make() as network:
                yield network
            return
    except NoNamespace as error:
        if strict:
            fail(f"no network namespace ({error}), which --strict needs", FAILED)
        print_note(f"no network namespace ({error}): a program that ignores the proxy variables may go online")
    yield None


@contextmanager
def _shared_proxy(config: Path | None, store: str | None) -> Iterator[_Proxy]:
    """Yield the running proxy."""
    from addon.cli.find_proxy import find_running_proxy  # slow to import, as the settings are
    from addon.cli.options import load_configuration

    settings = load_configuration(config, store).settings
    proxy = find_running_proxy(settings)
    if proxy is None:
        problem = f"no proxy is running on {settings.store.directory}"
        fail(f"{problem}: start one with secondhand serve, or leave out --shared", FAILED)
    yield _Proxy(proxy.url, proxy.control, settings.ca_directory)


@contextmanager
def _private_proxy(
    options: PrivateOptions, folder: Path, network: IsolatedNetwork | None, known: KnownCertificates
) -> Iterator[_Proxy]:
    """Yield a private proxy that ends with the context. It reads the settings, so this process need not."""
    origins = write_origins_file(folder, known)  # which the programs would trust without the proxy
    options = replace(options, origin_ca_file=str(origins) if origins else None)
    try:
        with PrivateProxy(options, network.listener if network else None) as private:
            yield _Proxy(private.url, private.control, private.places.ca, private)
    except ProxyDidNotStart as error:
        fail(messages_only(str(error)), error.exit_code)


def _run(command: Sequence[str], environ: Mapping[str, str], network: IsolatedNetwork | None) -> int:
    try:
        return run_command(command, environ, network.enter if network else None)
    except CannotRun as error:
        fail(str(error), error.exit_code)


def _snapshot(control: ControlClient) -> Snapshot:
    """Return the counters of a proxy and what it has noted; empty if it has ended."""
    try:
        failed, missing = control.ask("failed-hosts"), control.ask("missing")
        return Snapshot.of(
            control.ask("stats"), missing["urls"], failed["distrusted"], failed["not_reached"], missing["too_large"]
        )
    except ControlError as error:
        print_note(str(error))
        return Snapshot()


def _save_log(log: str, store: Path, summary: Summary) -> None:
    """Save the log of a private proxy and print its path, if something failed."""
    if not log or not (summary.has_failures or has_warnings(log)):
        return
    try:
        print_note(f"what went wrong: {save_log(log, store)}")
    except OSError as error:  # perhaps the disk is what failed
        print_note(f"{store}: {error.strerror or error}; the end of the proxy's log:")
        for line in log.splitlines()[-MAX_LOG_LINES:]:
            print_note(line)


def _print_summary(summary: Summary, command: Sequence[str], *, localhost: bool) -> None:
    print_note(without_requests(command, localhost=localhost) if summary.is_empty else summary.line())
