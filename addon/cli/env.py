"""`secondhand env`: the variables that send programs to the proxy that runs."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from platformdirs import user_cache_path

from addon.cli.options import ConfigOption, StoreOption, configuration
from addon.cli.running import running
from addon.cli.terminal import FAILED, fail, note
from addon.config.settings import Settings
from addon.programs.run.variables import CA_FILES, Shell, script, variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import TrustFiles, write_trust_files
from addon.runtime.listen_address import proxy_url

LocalhostOption = Annotated[bool, typer.Option("--proxy-localhost", help="Requests for this machine too.")]


def env(
    shell: Annotated[Shell, typer.Option(help="Whose language to speak.")] = Shell.BASH,
    proxy_localhost: LocalhostOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Print the variables that send programs to the running proxy; where none runs, to where one would listen."""
    settings = configuration(config, store).settings
    proxy = running(settings)
    url = proxy.url if proxy else _expected(settings)
    said = variables(url, lasting_trust_files(settings), os.environ, localhost=proxy_localhost)
    typer.echo(script(said, shell), nl=False)


def _expected(settings: Settings) -> str:
    """Return the URL of a proxy that is still to be started, and say so."""
    host, port = settings.address
    directory = settings.store.directory
    if not port:
        fail(f"no proxy is running on {directory}, and {settings.listen} takes any port: secondhand serve", FAILED)
    note(f"no proxy is running on {directory}: these variables lead nowhere before secondhand serve")
    return proxy_url(host, port)


def lasting_trust_files(settings: Settings) -> TrustFiles:
    """Write the files by which programs trust the proxy to where they stay; return them."""
    folder = user_cache_path("secondhand") / "trust"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    authority = ca_certificate(settings.tls.ca_directory).pem
    return write_trust_files(folder, authority, os.environ, CA_FILES)
