"""`secondhand trust`: the certificate authority that clients have to trust for HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, configuration
from addon.cli.terminal import FAILED, note, say, say_json, say_table
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.nss import nss_stores
from addon.programs.trust.stores import TrustError, TrustStore
from addon.programs.trust.system import system_store

app = typer.Typer(help="The certificate authority that clients have to trust for HTTPS.", no_args_is_help=True)


INSTALLED = "installed"

GUIDE = """\
For other systems and programs, write the certificate to a file: secondhand trust export --out secondhand-ca.pem
  macOS    sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain secondhand-ca.pem
  Windows  certutil -addstore Root secondhand-ca.pem
  Firefox  Settings, Privacy & Security, View Certificates, Authorities, Import
Programs of the command line need none of that: secondhand run, secondhand env."""


@app.command(epilog="Example: secondhand trust export --out secondhand-ca.pem")
def export(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to a file instead.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the certificate (PEM), made now if there is none yet. The private key stays where it is."""
    directory = configuration(config).settings.tls.ca_directory
    certificate = ca_certificate(directory)
    if out is not None:
        out.write_bytes(certificate.pem)
        note(f"the certificate is in {out}")
    if as_json:
        pem = certificate.pem.decode()
        say_json({"directory": str(directory), "sha256": certificate.sha256, "certificate": pem})
    elif out is None:
        typer.echo(certificate.pem.decode(), nl=False)


def _stores() -> list[TrustStore]:
    """Return the places on this system that programs look into."""
    system = system_store()
    return [*([system] if system else []), *nss_stores(Path.home())]


@app.command(epilog="Example: secondhand trust install")
def install(config: ConfigOption = None) -> None:
    """Put the certificate where this system, Chromium and Firefox look for authorities."""
    pem = _pem(config)
    _each("install", lambda store: store.install(pem))
    if not system_store():
        say(GUIDE)


@app.command(epilog="Example: secondhand trust uninstall")
def uninstall() -> None:
    """Take the certificate out again, wherever `install` has put it."""
    _each("uninstall", lambda store: store.uninstall())


@app.command(epilog="Example: secondhand trust status --json")
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say where the certificate is installed. Fails if it is nowhere."""
    pem = _pem(config)
    found = [(store.name, _state(store, pem)) for store in _stores()]
    if as_json:
        say_json([{"store": name, "state": state} for name, state in found])
    else:
        say_table(["STORE", "STATE"], found)
    if not any(state == INSTALLED for _, state in found):
        raise typer.Exit(FAILED)


def _state(store: TrustStore, pem: bytes) -> str:
    try:
        return INSTALLED if store.holds(pem) else "not installed"
    except TrustError as error:
        return str(error)


def _each(what: str, do: Callable[[TrustStore], None]) -> None:
    """Do something with every store; fail if one of them fails."""
    failed = False
    for store in _stores():
        try:
            do(store)
            say(f"{store.name}: {what}ed")
        except TrustError as error:
            failed = True
            note(f"{store.name}: {error}")
    if failed:
        raise typer.Exit(FAILED)


def _pem(config: ConfigOption) -> bytes:
    return ca_certificate(configuration(config).settings.tls.ca_directory).pem
