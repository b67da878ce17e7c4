"""`secondhand run`: a command sent through a private cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.env import LocalhostOption
from addon.cli.options import ConfigOption, StoreOption, configuration, private_configuration
from addon.cli.running import Running, running
from addon.cli.terminal import FAILED, fail, note
from addon.config.load import FILE_VARIABLE
from addon.config.private_store import PROFILE
from addon.config.settings import Settings
from addon.programs.run.command import CannotRun
from addon.programs.run.command import run as run_command
from addon.programs.run.namespace import NoNamespace, leave_the_network
from addon.programs.run.private_log import is_grave, keep, plain
from addon.programs.run.private_proxy import PrivateProxy, ProxyDidNotStart
from addon.programs.run.summary import Look, Summary
from addon.programs.run.variables import CA_FILES, variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import write_trust_files
from addon.recordings.library import RecordingLibrary
from addon.runtime.control import ControlClient, ControlError
from cache.policy.rules import Mode

MOST_LINES = 20
"""Of a log that cannot be kept: how many are said."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a command reaches origins, or does not."""

    offline: bool
    shared: bool
    record: str
    replay: str


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run.")],
    offline: Annotated[bool, typer.Option("--offline", help="Ask no origin; reach nothing but the proxy.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Ask origins while they can be reached (the default).")] = False,
    record: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep every answer in a recording.", show_default=False)
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="NAME", help="Offline, from a recording alone.", show_default=False)
    ] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Through the running proxy, not one of its own.")] = False,
    ci: Annotated[bool, typer.Option("--ci", help="Exit 120 network wanted offline, 121 stale, 122 misses.")] = False,
    max_misses: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="With --ci: misses that are allowed.", show_default=False)
    ] = None,
    proxy_localhost: LocalhostOption = False,
    profile: Annotated[str, typer.Option(metavar="NAME", help="Which settings go together.")] = PROFILE,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Run a command behind a private proxy: what it fetches once, it finds again without a network.

    The command has the terminal, gets the signals and gives the exit code; one line says what came of it.
    """
    offline = offline or replay is not None
    if [offline, auto, record is not None, shared].count(True) > 1:
        raise typer.BadParameter("expected at most one of --offline or --replay, --auto, --record and --shared")
    if max_misses is not None and not ci:
        raise typer.BadParameter("expected --ci beside it", param_hint="--max-misses")
    way = _Way(offline, shared, record or "", replay or "")
    settings = (configuration(config, store) if shared else private_configuration(config, store, profile)).settings
    _check_names(settings, way)
    if offline:
        try:
            leave_the_network()  # the proxy as well: it will ask nobody
        except NoNamespace as error:
            note(f"no network namespace ({error}): a program that does not heed the proxy variables may go live")
    with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        Path(folder).chmod(0o755)  # apt reads the certificates as a user of its own
        authority = ca_certificate(settings.tls.ca_directory).pem
        trust = write_trust_files(Path(folder), authority, os.environ, CA_FILES)
        words: list[str] = []
        with _proxy(settings, config, way, words) as proxy:
            before = _look(proxy.control)
            found = variables(proxy.url, trust, os.environ, localhost=proxy_localhost)
            exit_code = _run(command, {**os.environ, **found})
            summary = Summary.between(before, _look(proxy.control))
    _keep_log("".join(words), settings, summary)
    _tell(summary, command)
    if ci and not exit_code and (breach := summary.breach(offline=offline, max_misses=max_misses)):
        exit_code, sentence = breach
        note(sentence)
    raise typer.Exit(exit_code)


def _check_names(settings: Settings, way: _Way) -> None:
    """Raise StoreError for a recording that cannot be made, or is not there to be replayed."""
    library = RecordingLibrary(settings.library)
    if way.record:
        library.path(way.record)
    if way.replay:
        library.existing(way.replay)


@contextmanager
def _proxy(settings: Settings, config: ConfigOption, way: _Way, words: list[str]) -> Iterator[Running]:
    """Yield the running proxy, or one that lasts as long as the context; what that one wrote goes into `words`."""
    if way.shared:
        proxy = running(settings)
        if proxy is None:
            expected = f"no proxy is running on {settings.store.directory}"
            fail(f"{expected}: start one with secondhand serve, or leave out --shared", FAILED)
        yield proxy
        return
    try:
        with PrivateProxy(settings.store.directory, _said(settings, config, way)) as private:
            yield Running(f"http://127.0.0.1:{private.port}", private.control)
        words.append(private.last_words)
    except ProxyDidNotStart as error:
        fail(plain(str(error)), FAILED)


def _said(settings: Settings, config: ConfigOption, way: _Way) -> Mapping[str, str]:
    """Return what a private proxy is told beside the settings that it finds by itself."""
    return {
        "SECONDHAND_PROFILE": settings.profile,
        "SECONDHAND_LOG__LEVEL": "debug" if settings.log.level == "debug" else "info",
        "SECONDHAND_CACHE__MODE": Mode.OFFLINE if way.offline else Mode.AUTO,
        "SECONDHAND_RECORDINGS__PATH": str(settings.library),
        "SECONDHAND_RECORDINGS__RECORD": way.record,
        "SECONDHAND_RECORDINGS__REPLAY": way.replay,
        **({FILE_VARIABLE: str(config)} if config is not None else {}),
    }


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
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


def _keep_log(said: str, settings: Settings, summary: Summary) -> None:
    """Keep what a private proxy wrote, and name the file where somebody should read it."""
    if not said or not (summary.is_troubled or is_grave(said)):
        return
    try:
        note(f"what went wrong: {keep(said, settings.store.directory)}")
    except OSError as error:  # the disk may be what went wrong
        note(f"{settings.store.directory}: {error.strerror or error}; what the proxy wrote:")
        for line in said.splitlines()[-MOST_LINES:]:
            note(line)


def _tell(summary: Summary, command: Sequence[str]) -> None:
    if summary.is_empty:
        note(f"no request of {command[0]} came through the proxy: it needed none, or does not heed the proxy variables")
    else:
        note(summary.line())
