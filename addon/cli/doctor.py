"""`secondhand doctor`: check which installed programs work through the proxy."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import typer

from addon.cli.env import trust_folder
from addon.cli.find_proxy import find_running_proxy
from addon.cli.options import ConfigOption, JsonOption, load_configuration
from addon.cli.terminal import fail, print_json, print_line, print_note, print_table
from addon.config.certificate_checks import certificate_notes
from addon.config.settings import Settings
from addon.programs.doctor.advice import ProxySetup, copies_command, proxy_command, trust_command
from addon.programs.doctor.fixtures import fill_store
from addon.programs.doctor.probe import ProbeResult, examine
from addon.programs.doctor.programs import PROGRAMS
from addon.programs.run.earlier_values import environment_before
from addon.programs.run.private_log import messages_only
from addon.programs.run.private_proxy import PrivateOptions, PrivateProxy, ProxyDidNotStart
from addon.programs.run.variables import variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import TrustFiles, known_certificates, write_trust_files
from addon.runtime.exit_codes import FAILED
from addon.runtime.listen_address import proxy_url
from addon.runtime.temporary_files import use_for_temporary_files


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check which installed programs work through the proxy.

    Every known program runs with the variables of `secondhand run`, and with a proxy that has some stored responses
    and asks no origin. Fails if a program does not use the proxy, trust its CA and accept stored responses.
    """
    settings = load_configuration(config).settings
    use_for_temporary_files(lambda: settings.store.directory)
    with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        store = Path(folder, "store")
        fill_store(store)
        ca = ca_certificate(settings.ca_directory).pem
        trust = write_trust_files(Path(folder), ca, known_certificates(os.environ), os.environ)
        options = PrivateOptions(str(config) if config else None, str(store), settings.profile, offline=True)
        try:
            with PrivateProxy(options) as proxy:
                environ = {**os.environ, **variables(proxy.url, trust, os.environ)}
                results = [examine(program, proxy.url, environ, proxy.counters) for program in PROGRAMS]
        except ProxyDidNotStart as error:
            fail(messages_only(str(error)), error.exit_code)
    installed = [result for result in results if result]
    missing = [program.name for program, result in zip(PROGRAMS, results, strict=True) if result is None]
    remedies = _remedies(installed, settings)
    certificates = list(certificate_notes(settings.sites, time.time()))
    if as_json:
        programs = [_described(result, remedies.get(result.name, "")) for result in installed]
        print_json({"programs": programs, "not_installed": missing, "certificates": certificates})
    else:
        _print_results(installed, missing, remedies)
        for note in certificates:
            print_line(note)
    if remedies:
        raise typer.Exit(FAILED)


def _remedies(installed: list[ProbeResult], settings: Settings) -> dict[str, str]:
    """Return the command that helps, for each program that needs help."""
    failed = [result for result in installed if not result.is_ok]
    if not failed:
        return {}
    proxy = find_running_proxy(settings)
    setup = ProxySetup(proxy.url if proxy else proxy_url(*settings.address), _lasting_trust_files(settings))
    return {result.name: _remedy(result, setup) for result in failed}


def _lasting_trust_files(settings: Settings) -> TrustFiles:
    """Write the files that make programs trust the proxy into the permanent folder, and return their paths."""
    folder = trust_folder(settings)
    before = environment_before(os.environ, folder)
    ca = ca_certificate(settings.ca_directory).pem
    return write_trust_files(folder, ca, known_certificates(before), before, kept=folder)


def _remedy(result: ProbeResult, setup: ProxySetup) -> str:
    if not result.uses_proxy:
        return proxy_command(result.name, setup)
    return copies_command(result.name) if result.trusts_ca else trust_command(result.name, setup)


def _described(result: ProbeResult, remedy: str) -> dict[str, object]:
    return {
        "name": result.name,
        "reaches": result.uses_proxy,
        "trusts": result.trusts_ca,
        "takes": result.accepts_copies,
        "said": result.last_line,
        "mend": remedy,
    }


def _print_results(installed: list[ProbeResult], missing: list[str], remedies: dict[str, str]) -> None:
    rows = [
        (result.name, *map(_yes_or_no, (result.uses_proxy, result.trusts_ca, result.accepts_copies)))
        for result in installed
    ]
    print_table(["PROGRAM", "USES THE PROXY", "TRUSTS ITS CA", "ACCEPTS COPIES"], rows, ["bold"])
    for result in installed:
        if result.last_line:
            print_note(f"{result.name} printed: {result.last_line}")
    for name, command in remedies.items():  # not in a table cell: wrapped lines could not be pasted
        print_line(f"{name}: {command}")
    if missing:
        print_note(f"not installed: {', '.join(missing)}")
    if not remedies:
        print_line(
            'all of these programs work through the proxy: use secondhand run -- COMMAND, or eval "$(secondhand env)"'
        )


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "NO"
