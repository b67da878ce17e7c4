"""`secondhand trust`: the certificate authority that clients have to trust for HTTPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, configuration
from addon.cli.terminal import note, say_json

app = typer.Typer(help="The certificate authority that clients have to trust for HTTPS.", no_args_is_help=True)


@app.callback()
def _trust() -> None:
    """Keep `export` a command of its own, although it is the only one."""


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
    from mitmproxy.certs import CertStore  # loads mitmproxy, which few commands need

    try:
        certificate = CertStore.from_store(directory, "mitmproxy", 2048).default_ca
    except ValueError as error:
        raise OSError(f"{directory}: expected mitmproxy-ca.pem to hold a key and a certificate: {error}") from None
    pem = certificate.to_pem()
    if out is not None:
        out.write_bytes(pem)
        note(f"the certificate is in {out}")
    if as_json:
        fingerprint = certificate.fingerprint().hex()
        say_json({"directory": str(directory), "sha256": fingerprint, "certificate": pem.decode()})
    elif out is None:
        typer.echo(pem.decode(), nl=False)
