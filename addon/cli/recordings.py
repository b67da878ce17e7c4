"""Commands on recordings: make, replay, list, remove, export, import and scrub them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.cli.diff import diff
from addon.cli.options import ConfigOption, JsonOption, StoreOption, load_configuration
from addon.cli.terminal import fail, print_json, print_line, print_note, print_table
from addon.config.private_store import private_directory
from addon.config.settings import Settings
from addon.config.units import size_text
from addon.recordings.codecs.formats import Format
from addon.recordings.library import RecordingLibrary
from addon.runtime.control_client import running_proxies
from addon.runtime.exit_codes import FAILED, NOT_FOUND

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a recording.")]
StopOption = Annotated[bool, typer.Option("--stop", help="Return to the proxy's own store.")]
OptionalName = Annotated[str | None, typer.Argument(metavar="NAME", help="The name of a recording.")]

app = typer.Typer(help="List, compare or remove recordings.", no_args_is_help=True)
app.command("diff", epilog="Example: secondhand recordings diff checkout")(diff)


def record(
    name: OptionalName = None,
    stop: StopOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the running proxy record all responses, until --stop.

    Meanwhile, the proxy asks origins for everything. An existing recording is extended. Cookies and
    WebSockets are not recorded. Of each request, only the parts that select its response are.
    """
    _switch("record", name, load_configuration(config, store).settings, stop=stop, as_json=as_json)


def replay(
    name: OptionalName = None,
    stop: StopOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the running proxy use a recording only, until --stop.

    Meanwhile, requests without a recorded response get a 504.
    """
    _switch("replay", name, load_configuration(config, store).settings, stop=stop, as_json=as_json)


def _switch(command: str, name: str | None, settings: Settings, *, stop: bool, as_json: bool) -> None:
    """Start or stop recording or replaying in every running proxy of a store."""
    if (name is None) is not stop:
        raise typer.BadParameter("expected a NAME or --stop")
    proxies = running_proxies(settings.store.directory)
    if not proxies:
        remedy = f": secondhand serve --{command} {name} starts one" if name else ""
        fail(f"no proxy is running on {settings.store.directory}{remedy}", FAILED)
    replies = [proxy.ask(command, **({"stop": True} if stop else {"name": name})) for proxy in proxies]
    affected = next((str(reply["name"]) for reply in replies if reply["name"]), "")
    if as_json:
        print_json({"name": affected or None, "proxies": len(proxies)})
    elif not stop:
        print_line(f"{'recording' if command == 'record' else 'replaying'} {name}; secondhand {command} --stop ends it")
    elif affected:
        print_line(f"{affected} has ended")
    if stop and not affected:
        fail(f"no recording is being {'made' if command == 'record' else 'replayed'}", NOT_FOUND)


@app.command("list", epilog="Example: secondhand recordings list")
def list_recordings(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the recordings."""
    settings = load_configuration(config, store).settings
    recordings = RecordingLibrary(settings.library).described()
    if as_json:
        print_json(recordings)
    elif recordings:
        rows = [(str(each["name"]), str(each["responses"]), size_text(int(str(each["size"])))) for each in recordings]
        print_table(["NAME", ">RESPONSES", ">SIZE"], rows)
    else:
        print_note(f"there are no recordings in {settings.library}")


@app.command(epilog="Example: secondhand recordings remove checkout")
def remove(
    name: NameArgument, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Delete a recording."""
    settings = load_configuration(config, store).settings
    _refuse_in_use(name, settings)
    RecordingLibrary(settings.library).remove(name)
    if as_json:
        print_json({"removed": name})
    else:
        print_line(f"{name} is gone")


def _refuse_in_use(name: str, settings: Settings) -> None:
    """End the command if a proxy of `serve` or `run` makes or replays the recording."""
    for proxy in running_proxies(settings.store.directory):
        state = proxy.ask("recording")
        if state["name"] == name:
            fail(f"a running proxy uses {name}: end that with secondhand {state['doing']} --stop", FAILED)
    if any(proxy.ask("recording")["name"] == name for proxy in running_proxies(private_directory(settings))):
        fail(f"secondhand run uses {name}: wait until its command has ended", FAILED)


def export(
    name: NameArgument,
    form: Annotated[
        Format, typer.Option("--format", help="har for browser tools, warc for web archives, dir for people.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The new file or folder; by default, NAME here.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a recording to a new file or folder.

    An import of it restores the same bytes.
    """
    settings = load_configuration(config, store).settings
    path = out or Path(f"{name}{form.suffix}")
    from addon.recordings.codecs.files import write  # slow to import, and few commands need it

    write(RecordingLibrary(settings.library), name, form, path)
    if as_json:
        print_json({"name": name, "format": form.value, "path": str(path)})
    else:
        print_line(f"{name} is in {path}")


def import_recording(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A HAR, a WARC, or the folder or ZIP of an export.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name of the recording; by default, that of the file.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a recording from a file.

    No recording is made if the file is malformed or too large.
    """
    settings = load_configuration(config, store).settings
    recording = name or file.name.partition(".")[0]
    from addon.recordings.codecs.files import read
    from addon.recordings.recorded_exchange import Limits

    limits = Limits(settings.store.largest_object, settings.store.max_size)
    count, left_out = read(RecordingLibrary(settings.library), recording, file, settings.policy(), limits)
    if as_json:
        rows = [{"place": each.place, "why": each.why} for each in left_out]
        print_json({"name": recording, "responses": count, "left_out": rows})
        return
    for each in left_out:
        print_note(f"left out: {each.place}: {each.why}")
    print_line(f"{recording} holds {count} responses" if count != 1 else f"{recording} holds 1 response")


def scrub(
    name: NameArgument,
    field: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="The name of a field, or of a JSON member at any depth.", min=1),
    ],
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove fields and JSON members from a recording.

    No byte of them remains in it.
    """
    settings = load_configuration(config, store).settings
    _refuse_in_use(name, settings)
    from addon.recordings.scrubbing import scrub as scrub_recording

    done = scrub_recording(RecordingLibrary(settings.library), name, frozenset(field), settings.policy())
    if as_json:
        print_json({"name": name, "responses": done.responses, "places": done.places, "merged": done.merged})
    else:
        print_line(f"{done.places} values removed from {done.responses} responses")
        if done.merged:
            print_line(
                f"{done.merged} responses dropped: without the removed request fields,"
                " a later response to the same URL takes their place"
            )
    if not done.places:
        raise typer.Exit(NOT_FOUND)
