"""`secondhand config`: check, print and begin the settings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import typer

from addon.cli.config_file import init, path, schema
from addon.cli.options import ConfigOption, JsonOption, StoreOption, load_configuration
from addon.cli.terminal import print_json, print_line
from addon.config.certificate_checks import certificate_notes, refuse_bad_certificates
from addon.config.clients import SHIPPED, read_clients
from addon.config.conflicts import refuse_conflicts
from addon.config.errors import ConfigError
from addon.config.https_redirects import endless_redirect_notes
from addon.config.load import Configuration
from addon.config.site_overlaps import overlaps
from addon.config.site_rules import covered
from addon.config.toml_files import toml_value
from addon.config.units import parse_size, size_text
from addon.frontend.gateway.server_contexts import load, server_context
from addon.runtime.exit_codes import WRONG_USAGE
from addon.serve.own_ca import check_ca

app = typer.Typer(help="Check and print the settings, or begin a settings file.", no_args_is_help=True)
app.command(epilog="Example: secondhand config init")(init)
app.command(epilog="Example: secondhand config path")(path)
app.command(epilog="Example: secondhand config schema > secondhand.schema.json")(schema)


@app.command(epilog="Example: secondhand config check --config ./config.toml")
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check the settings, and print every fault."""
    try:
        configuration = load_configuration(config)
        refuse_conflicts(configuration)
        refuse_bad_certificates(configuration, lambda files: load(files, server_context()), time.time())
        check_ca(configuration.settings)
    except ConfigError as error:
        if not as_json:
            raise
        faults = [{"where": fault.where, "key": fault.key, "problem": fault.problem} for fault in error.faults]
        print_json({"valid": False, "faults": faults})
        raise typer.Exit(WRONG_USAGE) from None
    file, sites = configuration.file, configuration.settings.site
    covered_rules = (note for n, site in enumerate(sites, 1) for note in covered(site.rules, f"site#{n}"))
    redirects = endless_redirect_notes(configuration.settings)
    notes = [*overlaps(sites), *covered_rules, *redirects, *certificate_notes(sites, time.time())]
    if as_json:
        described = [site.model_dump(mode="json") for site in sites]
        path = str(file) if file else None
        print_json({"valid": True, "file": path, "faults": [], "sites": described, "notes": notes})
        return
    print_line(f"{file}: no faults" if file else "no faults; there is no settings file, and the defaults apply")
    for number, site in enumerate(sites, 1):
        print_line(f"site#{number}: {', '.join(site.hosts)} -> {', '.join(map(str, site.origins))}")
        for at, rule in enumerate(site.rules, 1):
            print_line(f"site#{number}.rules#{at}: {rule}")
    for note in notes:
        print_line(note)


@app.command("show", epilog="Example: secondhand config show > config.toml")
def show_settings(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print the settings that apply as TOML, and where they are set.

    The clients that get 200 instead of 203 follow as comments.
    """
    configuration = load_configuration(config, store)
    settings = configuration.settings.model_dump(mode="json")
    file = configuration.settings.answer.client_list
    clients = read_clients(file)
    if as_json:
        rows = [client.model_dump(mode="json", exclude_defaults=True) for client in clients]
        locations = [tuple(map(str, location)) for location in sorted(configuration.sources)]
        sources = {".".join(location): configuration.source(*location) for location in locations}
        print_json({"settings": settings, "set_by": sources, "clients": rows})
        return
    for line in _as_toml(settings, configuration):
        print_line(line)
    print_line("")
    source = "the shipped list" if file == SHIPPED else file
    print_line(f'# Clients that get 200 with answer.status = "auto", from {source}:')
    for client in clients:
        print_line(f"# {client.name}: {client.conditions()}")


def _as_toml(settings: Mapping[str, object], configuration: Configuration) -> Iterator[str]:
    tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
    for name, value in settings.items():
        if name not in tables:
            yield _line(configuration, value, name)
    for table, content in tables.items():
        yield ""
        yield f"[{table}]"
        for name, value in content.items():
            yield _line(configuration, value, table, name)


def _line(configuration: Configuration, value: object, *location: str) -> str:
    if location in {("store", "max_size"), ("store", "max_object")} and isinstance(value, int):
        text = size_text(value)
        value = text if value and parse_size(text) == value else value
    source = configuration.source(*location)
    return f"{location[-1]} = {toml_value(value)}" + (f"  # {source}" if source else "")
