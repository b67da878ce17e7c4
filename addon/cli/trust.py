"""`secondhand trust`: export and install the CA certificate that clients must trust for HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, load_configuration
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.config.user_folders import home_directory
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.instructions import CERTIFICATE_FILE, OTHER_SYSTEMS
from addon.programs.trust.nss import nss_stores
from addon.programs.trust.stores import TrustError, TrustStore
from addon.programs.trust.system import system_store
from addon.runtime.exit_codes import FAILED

app = typer.Typer(help="Export or install the CA certificate for clients.", no_args_is_help=True)

INSTALLED = "installed"


def guide() -> tuple[str, ...]:
    """Return lines that say what to do on systems which `trust install` does not know."""
    return (
        "For other systems and programs, write the certificate to a file:"
        f" secondhand trust export --out {CERTIFICATE_FILE}",
        *(f"  {each.name:9}{line}" for each in OTHER_SYSTEMS for line in each.filled()),
        "Command line programs need none of this: use secondhand run or secondhand env.",
    )


@app.command(epilog="Example: secondhand trust export --out secondhand-ca.pem")
def export(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a file instead.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the CA certificate (PEM).

    The CA is made if there is none yet. The private key is not printed.
    """
    directory = load_configuration(config, store).settings.ca_directory
    certificate = ca_certificate(directory)
    if out is not None:
        out.write_bytes(certificate.pem)
        print_note(f"the certificate is in {out}")
    if as_json:
        pem = certificate.pem.decode()
        print_json({"directory": str(directory), "sha256": certificate.sha256, "certificate": pem})
    elif out is None:
        typer.echo(certificate.pem.decode(), nl=False)
    print_note(f"SHA-256 fingerprint: {certificate.fingerprint}")


def _stores() -> list[TrustStore]:
    """Return the trust stores of this system and of the user's browsers."""
    system, home = system_store(), home_directory()
    return [*([system] if system else []), *(nss_stores(home) if home else [])]


@app.command(epilog="Example: secondhand trust install")
def install(config: ConfigOption = None, store: StoreOption = None) -> None:
    """Install the certificate for the system, Chromium and Firefox."""
    pem = _pem(config, store)
    _for_each_store("install", lambda store: store.install(pem))
    if not system_store():
        for line in guide():
            print_line(line)


@app.command(epilog="Example: secondhand trust uninstall")
def uninstall() -> None:
    """Remove the certificate from where `install` has put it."""
    _for_each_store("uninstall", lambda store: store.uninstall())


@app.command(epilog="Example: secondhand trust status --json")
def status(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print where the certificate is installed.

    Fails if it is not installed anywhere.
    """
    certificate = ca_certificate(load_configuration(config, store).settings.ca_directory)
    states = [(store.name, _state(store, certificate.pem)) for store in _stores()]
    if as_json:
        print_json([{"store": name, "state": state} for name, state in states])
    else:
        print_table(["STORE", "STATE"], states)
    print_note(f"SHA-256 fingerprint: {certificate.fingerprint}")
    if not any(state == INSTALLED for _, state in states):
        print_note("this installs it: secondhand trust install")
        raise typer.Exit(FAILED)


def _state(store: TrustStore, pem: bytes) -> str:
    try:
        return INSTALLED if store.holds(pem) else "not installed"
    except TrustError as error:
        return str(error)


def _for_each_store(verb: str, action: Callable[[TrustStore], None]) -> None:
    """Do something with every trust store; the command fails if one of them fails."""
    failed = False
    for store in _stores():
        try:
            action(store)
            print_line(f"{store.name}: {verb}ed")
        except TrustError as error:
            failed = True
            print_note(f"{store.name}: {error}")
    if failed:
        raise typer.Exit(FAILED)


def _pem(config: ConfigOption, store: StoreOption) -> bytes:
    return ca_certificate(load_configuration(config, store).settings.ca_directory).pem
