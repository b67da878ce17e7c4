"""`secondhand trust`: the certificate authority that clients have to trust for HTTPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.authority import authority_certificate
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
    certificate = authority_certificate(directory)
    if out is not None:
        out.write_bytes(certificate.pem)
        note(f"the certificate is in {out}")
    if as_json:
        pem = certificate.pem.decode()
        say_json({"directory": str(directory), "sha256": certificate.sha256, "certificate": pem})
    elif out is None:
        typer.echo(certificate.pem.decode(), nl=False)
