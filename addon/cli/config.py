"""`secondhand config`: is it right, and what does it come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, configuration
from addon.cli.terminal import WRONG_USAGE, say, say_json
from addon.config.clients import SHIPPED, read_clients
from addon.config.errors import ConfigError
from addon.config.exposure import refuse_exposure
from addon.config.load import Configuration
from addon.config.toml_files import toml_value
from addon.config.units import octets, size_text

app = typer.Typer(help="The settings: are they right, and what holds.", no_args_is_help=True)


@app.command(epilog="Example: secondhand config check --config ./config.toml")
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say whether the settings can be used, and else every fault."""
    try:
        found = configuration(config)
        refuse_exposure(found)
    except ConfigError as error:
        if not as_json:
            raise
        faults = [{"where": fault.where, "key": fault.key, "problem": fault.problem} for fault in error.faults]
        say_json({"valid": False, "faults": faults})
        raise typer.Exit(WRONG_USAGE) from None
    if as_json:
        say_json({"valid": True, "file": str(found.file) if found.file else None, "faults": []})
    else:
        say(f"{found.file}: nothing wrong" if found.file else "no settings file, the defaults hold: nothing wrong")


@app.command("show", epilog="Example: secondhand config show > config.toml")
def show_settings(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print the settings that hold as TOML, who set what is not a default, and the list of clients."""
    found = configuration(config, store)
    settings = found.settings.model_dump(mode="json")
    file = found.settings.answer.client_list
    clients = read_clients(file)
    if as_json:
        rows = [client.model_dump(mode="json", exclude_defaults=True) for client in clients]
        said = {".".join(map(str, location)): found.source(*map(str, location)) for location in sorted(found.origins)}
        say_json({"settings": settings, "set_by": said, "clients": rows})
        return
    for line in _as_toml(settings, found):
        say(line)
    say("")
    say(f'# Clients that get 200 with answer.status = "auto", from {"the shipped list" if file == SHIPPED else file}:')
    for client in clients:
        say(f"# {client.name}: {client.conditions()}")


def _as_toml(settings: Mapping[str, object], found: Configuration) -> Iterator[str]:
    tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
    for name, value in settings.items():
        if name not in tables:
            yield _line(found, value, name)
    for table, content in tables.items():
        yield ""
        yield f"[{table}]"
        for name, value in content.items():
            yield _line(found, value, table, name)


def _line(found: Configuration, value: object, *location: str) -> str:
    if location in {("store", "max_size"), ("store", "max_object")} and isinstance(value, int):
        text = size_text(value)
        value = text if value and octets(text) == value else value
    source = found.source(*location)
    return f"{location[-1]} = {toml_value(value)}" + (f"  # {source}" if source else "")
