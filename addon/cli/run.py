"""`secondhand run`: run a command behind a private proxy, or behind the running one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.env import LocalhostOption
from addon.cli.find_proxy import RunningProxy, find_running_proxy
from addon.cli.options import ConfigOption, StoreOption, load_configuration, load_private_configuration
from addon.cli.terminal import FAILED, fail, print_note
from addon.config.load import FILE_VARIABLE
from addon.config.private_store import PROFILE
from addon.config.settings import Settings
from addon.programs.run.bypasses import VARIABLE as BYPASS_VARIABLE
from addon.programs.run.bypasses import read_bypasses
from addon.programs.run.command import CannotRun
from addon.programs.run.command import run as run_command
from addon.programs.run.namespace import IsolatedNetwork, NoNamespace, leave_the_network
from addon.programs.run.private_log import has_warnings, messages_only, save_log
from addon.programs.run.private_proxy import PrivateProxy, ProxyDidNotStart
from addon.programs.run.summary import Snapshot, Summary
from addon.programs.run.variables import variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import TrustFiles, write_trust_files
from addon.recordings.library import RecordingLibrary
from addon.runtime.control import ControlClient, ControlError
from cache.policy.operator_rules import Mode

MAX_LOG_LINES = 20
"""Lines of a log that are printed if the log cannot be saved."""


@dataclass(frozen=True, slots=True)
class _ProxyChoice:
    """The proxy that the command gets, and the way in which that proxy gets its responses."""

    offline: bool
    strict: bool
    shared: bool
    record: str
    replay: str


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The command to run.")],
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
        bool, typer.Option("--ci", help="Exit 120: network wanted offline, 121: stale copy, 122: too many misses.")
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
    choice = _ProxyChoice(offline, strict, shared, record or "", replay or "")
    if shared:
        settings = load_configuration(config, store).settings
    else:
        settings = load_private_configuration(config, store, profile).settings
    _check_recording_names(settings, choice)
    with _network(choice) as network, tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        Path(folder).chmod(0o755)  # apt reads the certificates as another user
        ca = ca_certificate(settings.tls.ca_directory).pem
        trust = write_trust_files(Path(folder), ca, os.environ)
        logs: list[str] = []
        proxy_settings = {**_proxy_settings(settings, config, choice), **_trusting(trust, settings)}
        with _proxy(settings, choice, proxy_settings, network, logs) as proxy:
            before = _snapshot(proxy.control)
            proxy_variables = variables(proxy.url, trust, os.environ, localhost=proxy_localhost)
            bypasses = Path(folder, "bypasses")
            exit_code = _run(command, {**os.environ, **proxy_variables, BYPASS_VARIABLE: str(bypasses)}, network)
            summary = Summary.between(before, _snapshot(proxy.control), read_bypasses(bypasses))
    _save_log("".join(logs), settings, summary)
    _print_summary(summary, command)
    if ci and not exit_code and (violation := summary.ci_violation(offline=offline, max_misses=max_misses)):
        exit_code, message = violation
        print_note(message)
    raise typer.Exit(exit_code)


def _check_recording_names(settings: Settings, choice: _ProxyChoice) -> None:
    """Raise StoreError for the name of a recording that cannot be made, or does not exist for a replay."""
    library = RecordingLibrary(settings.library)
    if choice.record:
        library.path(choice.record)
    if choice.replay:
        library.existing(choice.replay)


@contextmanager
def _network(choice: _ProxyChoice) -> Iterator[IsolatedNetwork | None]:
    """Yield a network for the command alone, if it gets one; without origins to ask, leave the network altogether."""
    try:
        if choice.offline:
            leave_the_network()  # together with the proxy, which asks no origin
        elif choice.strict:
            with IsolatedNetwork.make() as network:
                yield network
            return
    except NoNamespace as error:
        if choice.strict:
            fail(f"no network namespace ({error}), which --strict needs", FAILED)
        print_note(f"no network namespace ({error}): a program that ignores the proxy variables may go online")
    yield None


@contextmanager
def _proxy(
    settings: Settings,
    choice: _ProxyChoice,
    proxy_settings: Mapping[str, str],
    network: IsolatedNetwork | None,
    logs: list[str],
) -> Iterator[RunningProxy]:
    """Yield the running proxy, or a private one that ends with the context; its log is added to `logs`."""
    if choice.shared:
        proxy = find_running_proxy(settings)
        if proxy is None:
            problem = f"no proxy is running on {settings.store.directory}"
            fail(f"{problem}: start one with secondhand serve, or leave out --shared", FAILED)
        yield proxy
        return
    try:
        listener = network.listener if network else None
        with PrivateProxy(settings.store.directory, proxy_settings, listener) as private:
            yield RunningProxy(f"http://127.0.0.1:{private.port}", private.control)
        logs.append(private.log)
    except ProxyDidNotStart as error:
        fail(messages_only(str(error)), FAILED)


def _proxy_settings(settings: Settings, config: ConfigOption, choice: _ProxyChoice) -> Mapping[str, str]:
    """Return the environment variables for a private proxy, in addition to those of this process."""
    return {
        "SECONDHAND_PROFILE": settings.profile,
        "SECONDHAND_LOG__LEVEL": "debug" if settings.log.level == "debug" else "info",
        "SECONDHAND_CACHE__MODE": Mode.OFFLINE if choice.offline else Mode.AUTO,
        "SECONDHAND_RECORDINGS__PATH": str(settings.library),
        "SECONDHAND_RECORDINGS__RECORD": choice.record,
        "SECONDHAND_RECORDINGS__REPLAY": choice.replay,
        **({FILE_VARIABLE: str(config)} if config is not None else {}),
    }


def _trusting(trust: TrustFiles, settings: Settings) -> Mapping[str, str]:
    """Return the settings by which the proxy trusts those origins that the programs trust without it."""
    if trust.origins is None:
        return {}
    return {"SECONDHAND_ORIGIN__CA_FILES": json.dumps([*settings.origin.ca_files, str(trust.origins)])}


def _run(command: Sequence[str], environ: Mapping[str, str], network: IsolatedNetwork | None) -> int:
    try:
        return run_command(command, environ, network.enter if network else None)
    except CannotRun as error:
        fail(str(error), error.exit_code)


def _snapshot(control: ControlClient) -> Snapshot:
    """Return the counters of a proxy and what it has noted; empty if it has ended."""
    try:
        return Snapshot.of(
            control.ask("stats"),
            control.ask("missing")["urls"],
            control.ask("distrust")["hosts"],
            control.ask("mode")["unreachable"],
        )
    except ControlError as error:
        print_note(str(error))
        return Snapshot()


def _save_log(log: str, settings: Settings, summary: Summary) -> None:
    """Save the log of a private proxy and print its path, if something failed."""
    if not log or not (summary.has_failures or has_warnings(log)):
        return
    try:
        print_note(f"what went wrong: {save_log(log, settings.store.directory)}")
    except OSError as error:  # perhaps the disk is what failed
        print_note(f"{settings.store.directory}: {error.strerror or error}; the end of the proxy's log:")
        for line in log.splitlines()[-MAX_LOG_LINES:]:
            print_note(line)


def _print_summary(summary: Summary, command: Sequence[str]) -> None:
    if summary.is_empty:
        print_note(f"no request of {command[0]} came through the proxy: it needed none, or ignores the proxy variables")
    else:
        print_note(summary.line())
