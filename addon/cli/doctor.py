"""`secondhand doctor`: does what is installed here go through the cache."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import typer

from addon.cli.env import lasting_trust_files
from addon.cli.options import ConfigOption, JsonOption, configuration
from addon.cli.running import running
from addon.cli.terminal import FAILED, fail, note, say, say_json, say_table
from addon.config.load import FILE_VARIABLE
from addon.config.settings import Settings
from addon.programs.doctor import advice as mending
from addon.programs.doctor.fixtures import fill
from addon.programs.doctor.probe import Finding, examine
from addon.programs.doctor.programs import PROGRAMS
from addon.programs.run.private_log import plain
from addon.programs.run.private_proxy import PrivateProxy, ProxyDidNotStart
from addon.programs.run.variables import CA_FILES, variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import write_trust_files
from addon.runtime.listen_address import proxy_url
from cache.policy.rules import Mode


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Try every known program that is installed: does it reach the proxy, trust it, take a copy. Fails if one does not.

    They get the variables of `secondhand run`, and a proxy that holds some copies and asks nobody.
    """
    settings = configuration(config).settings
    said = {"SECONDHAND_CACHE__MODE": Mode.OFFLINE} | ({FILE_VARIABLE: str(config)} if config else {})
    with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        store = Path(folder, "store")
        fill(store)
        authority = ca_certificate(settings.tls.ca_directory).pem
        trust = write_trust_files(Path(folder), authority, os.environ, CA_FILES)
        try:
            with PrivateProxy(store, said) as proxy:
                url = f"http://127.0.0.1:{proxy.port}"
                environ = {**os.environ, **variables(url, trust, os.environ)}
                found = [examine(program, url, environ, proxy.counters) for program in PROGRAMS]
        except ProxyDidNotStart as error:
            fail(plain(str(error)), FAILED)
    installed = [finding for finding in found if finding]
    missing = [program.name for program, finding in zip(PROGRAMS, found, strict=True) if finding is None]
    mends = _mends(installed, settings)
    if as_json:
        programs = [{**asdict(finding), "mend": mends.get(finding.name, "")} for finding in installed]
        say_json({"programs": programs, "not_installed": missing})
    else:
        _say(installed, missing, mends)
    if mends:
        raise typer.Exit(FAILED)


def _mends(installed: list[Finding], settings: Settings) -> dict[str, str]:
    """Return the command that helps each program which needs help."""
    unwell = [finding for finding in installed if not finding.is_well]
    if not unwell:
        return {}
    proxy = running(settings)
    lasting = mending.Lasting(proxy.url if proxy else proxy_url(*settings.address), lasting_trust_files(settings))
    return {finding.name: _mend(finding, lasting) for finding in unwell}


def _mend(finding: Finding, lasting: mending.Lasting) -> str:
    if not finding.reaches:
        return mending.reach(finding.name, lasting)
    return mending.take(finding.name) if finding.trusts else mending.trust(finding.name, lasting)


def _say(installed: list[Finding], missing: list[str], mends: dict[str, str]) -> None:
    rows = [(finding.name, *map(_mark, (finding.reaches, finding.trusts, finding.takes))) for finding in installed]
    say_table(["PROGRAM", "REACHES THE PROXY", "TRUSTS IT", "TAKES A COPY"], rows, ["bold"])
    for finding in installed:
        if finding.said:
            note(f"{finding.name} said: {finding.said}")
    for name, command in mends.items():  # not in a cell, which would be folded: it is to be pasted
        say(f"{name}: {command}")
    if missing:
        note(f"not installed: {', '.join(missing)}")
    if not mends:
        say('all of them go through the cache: secondhand run -- COMMAND, or eval "$(secondhand env)"')


def _mark(is_so: bool) -> str:
    return "yes" if is_so else "NO"
