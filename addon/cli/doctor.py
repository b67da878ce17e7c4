"""`secondhand doctor`: does what is installed here go through the cache."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import typer

from addon.authority import authority_certificate
from addon.cli.options import ConfigOption, JsonOption, configuration
from addon.cli.terminal import FAILED, fail, note, say_json, say_table
from addon.configuration import FILE_VARIABLE
from addon.doctor.examination import Finding, examine
from addon.doctor.programs import PROGRAMS
from addon.doctor.specimens import fill
from addon.run.private_proxy import PrivateProxy, ProxyDidNotStart
from addon.run.trust_files import write_trust_files
from addon.run.variables import CA_FILES, variables
from cache.policy import Mode


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Try every known program that is installed: does it reach the proxy, trust it, take a copy. Fails if one does not.

    They get the variables of `secondhand run`, and a proxy that holds some copies and asks nobody.
    """
    settings = configuration(config).settings
    said = {"SECONDHAND_CACHE__MODE": Mode.OFFLINE} | ({FILE_VARIABLE: str(config)} if config else {})
    with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
        store = Path(folder, "store")
        fill(store)
        authority = authority_certificate(settings.tls.ca_directory).pem
        trust = write_trust_files(Path(folder), authority, os.environ, CA_FILES)
        try:
            with PrivateProxy(store, said) as proxy:
                url = f"http://127.0.0.1:{proxy.port}"
                environ = {**os.environ, **variables(url, trust, os.environ)}
                found = [examine(program, url, environ, proxy.counters) for program in PROGRAMS]
        except ProxyDidNotStart as error:
            fail(str(error), FAILED)
    _say(found, as_json=as_json)
    if any(finding and not finding.is_well for finding in found):
        raise typer.Exit(FAILED)


def _say(found: list[Finding | None], *, as_json: bool) -> None:
    installed = [finding for finding in found if finding]
    missing = [program.name for program, finding in zip(PROGRAMS, found, strict=True) if finding is None]
    if as_json:
        say_json({"programs": [asdict(finding) for finding in installed], "not_installed": missing})
        return
    rows = [
        (finding.name, *map(_mark, (finding.reaches, finding.trusts, finding.takes)), finding.mend)
        for finding in installed
    ]
    say_table(["PROGRAM", "REACHES THE PROXY", "TRUSTS IT", "TAKES A COPY", "WHAT TO DO"], rows, ["bold"])
    if missing:
        note(f"not installed: {', '.join(missing)}")


def _mark(is_so: bool) -> str:
    return "yes" if is_so else "NO"
