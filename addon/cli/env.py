"""`secondhand env`: print the variables that make programs use the running proxy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.find_proxy import find_running_proxy
from addon.cli.options import ConfigOption, LocalhostOption, StoreOption, load_configuration
from addon.cli.terminal import fail, print_note
from addon.config.settings import Settings
from addon.config.user_folders import lasting_folder
from addon.programs.run.earlier_values import earlier_values, environment_before, with_earlier_values
from addon.programs.run.variables import Shell, script, variables
from addon.programs.trust.ca import ca_certificate
from addon.programs.trust.files import (
    TrustFiles,
    has_others,
    known_certificates,
    write_origins_file,
    write_trust_files,
)
from addon.runtime.exit_codes import FAILED
from addon.runtime.listen_address import proxy_url


def env(
    shell: Annotated[Shell, typer.Option(help="The shell to print the variables for.")] = Shell.BASH,
    proxy_localhost: LocalhostOption = False,
    unset: Annotated[
        bool, typer.Option("--unset", help="Give the variables the values back that they had before.")
    ] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Print the variables that make programs use the running proxy.

    If no proxy runs, the variables have the address of one that is still to be started.
    """
    if unset:
        typer.echo(script(_values_before(), shell), nl=False)
        return
    settings = load_configuration(config, store).settings
    proxy = find_running_proxy(settings)
    url = proxy.url if proxy else _future_url(settings)
    folder = trust_folder(settings)
    ca = ca_certificate(settings.ca_directory).pem
    before = environment_before(os.environ, folder)  # our bundle is not what the programs were told to trust
    known = known_certificates(before)
    trust = write_trust_files(folder, ca, known, before, kept=folder)
    origins = write_origins_file(folder, known, ca)
    if origins is not None and has_others(origins, map(Path, settings.origin_options().ca_files)):
        print_note(f"programs here trust CAs that the proxy does not know: add {origins} to origin.ca_files")
    values = variables(url, trust, os.environ, localhost=proxy_localhost)
    typer.echo(script(with_earlier_values(values, os.environ), shell), nl=False)


def _values_before() -> dict[str, str | None]:
    """Return the values to restore. Without a record of them, nothing that is set now is changed."""
    if earlier := earlier_values(os.environ):
        return earlier
    nothing = Path()
    names = variables("http://127.0.0.1:8080", TrustFiles(nothing, nothing, nothing), {})
    if kept := [name for name in names if name in os.environ]:
        print_note(f"secondhand env has set nothing in this shell: {', '.join(kept)} stay as they are")
    return {name: None for name in names if name not in kept}


def _future_url(settings: Settings) -> str:
    """Return the URL of a proxy that is not started yet, and print a note about that."""
    host, port = settings.address
    directory = settings.store.directory
    if not port:
        fail(
            f"no proxy is running on {directory}, and {settings.listen} has its port chosen at the start:"
            " run secondhand serve first",
            FAILED,
        )
    print_note(f"no proxy is running on {directory}: start secondhand serve before you use these variables")
    return proxy_url(host, port)


def trust_folder(settings: Settings) -> Path:
    """Return the permanent folder of the files that make programs trust the proxy. It is made if it does not exist."""
    folder = lasting_folder("trust", settings.store.directory)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    return folder
