"""Recordings: made and replayed by a running proxy, exchanged as files, compared and scrubbed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, configuration
from addon.cli.terminal import FAILED, NOT_FOUND, fail, note, say, say_json, say_table
from addon.config.private_store import private_directory
from addon.config.settings import Settings
from addon.config.units import size_text
from addon.recordings.codecs.formats import Format
from addon.recordings.library import RecordingLibrary
from addon.runtime.control import running_proxies

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a recording.")]
StopOption = Annotated[bool, typer.Option("--stop", help="Go back to the proxy's own store.")]
OptionalName = Annotated[str | None, typer.Argument(metavar="NAME", help="The name of a recording.")]

app = typer.Typer(help="Recordings: which there are, and away with one.", no_args_is_help=True)


def record(
    name: OptionalName = None,
    stop: StopOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the running proxy ask origins for everything and keep every answer in a recording, until --stop.

    A recording that exists is added to. Cookies are not kept, nor what requests say.
    """
    _tell("record", name, configuration(config, store).settings, stop=stop, as_json=as_json)


def replay(
    name: OptionalName = None,
    stop: StopOption = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the running proxy answer from a recording alone, until --stop. What it does not hold is a 504."""
    _tell("replay", name, configuration(config, store).settings, stop=stop, as_json=as_json)


def _tell(command: str, name: str | None, settings: Settings, *, stop: bool, as_json: bool) -> None:
    """Tell every running proxy of a store."""
    if (name is None) is not stop:
        raise typer.BadParameter("expected a NAME or --stop")
    proxies = running_proxies(settings.store.directory)
    if not proxies:
        start = f": secondhand serve --{command} {name}" if name else ""
        fail(f"no proxy is running on {settings.store.directory}{start}", FAILED)
    answers = [proxy.ask(command, **({"stop": True} if stop else {"name": name})) for proxy in proxies]
    ended = next((str(answer["name"]) for answer in answers if answer["name"]), "")
    if as_json:
        say_json({"name": ended or None, "proxies": len(proxies)})
    elif not stop:
        say(f"{'recording' if command == 'record' else 'replaying'} {name}; secondhand {command} --stop ends it")
    elif ended:
        say(f"{ended} has ended")
    if stop and not ended:
        fail(f"no {command} was going on", NOT_FOUND)


@app.command("list", epilog="Example: secondhand recordings list")
def list_recordings(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the recordings of a store."""
    settings = configuration(config, store).settings
    library, rows = RecordingLibrary(settings.library), []
    for name in library.names():
        with library.opened(name) as held:
            rows.append((name, held.statistics().entries, held.statistics().size))
    if as_json:
        say_json([{"name": name, "responses": count, "size": size} for name, count, size in rows])
    elif rows:
        say_table(["NAME", ">RESPONSES", ">SIZE"], [(name, str(n), size_text(size)) for name, n, size in rows])
    else:
        note(f"there are no recordings in {settings.library}")


@app.command(epilog="Example: secondhand recordings remove checkout")
def remove(
    name: NameArgument, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Delete a recording."""
    settings = configuration(config, store).settings
    _refuse_in_use(name, settings)
    RecordingLibrary(settings.library).remove(name)
    if as_json:
        say_json({"removed": name})
    else:
        say(f"{name} is gone")


def _refuse_in_use(name: str, settings: Settings) -> None:
    """End the command where a proxy makes or replays the recording: one that serves, or one of `run`."""
    for proxy in running_proxies(settings.store.directory):
        state = proxy.ask("recording")
        if state["name"] == name:
            fail(f"a running proxy is on {name}: secondhand {state['doing']} --stop", FAILED)
    if any(proxy.ask("recording")["name"] == name for proxy in running_proxies(private_directory(settings))):
        fail(f"secondhand run is on {name}: wait until its command has ended", FAILED)


def export(
    name: NameArgument,
    form: Annotated[Format, typer.Option("--format", help="HAR for devtools, WARC for archives, dir for people.")],
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where to; by default NAME in this folder.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a recording to a file or folder that does not exist yet. An import gives the same octets back."""
    settings = configuration(config, store).settings
    path = out or Path(f"{name}{form.suffix}")
    from addon.recordings.codecs.files import write  # loads what reads and writes files, which few commands need

    write(RecordingLibrary(settings.library), name, form, path)
    if as_json:
        say_json({"name": name, "format": form.value, "path": str(path)})
    else:
        say(f"{name} is in {path}")


def import_recording(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A HAR, a WARC, or a folder or ZIP of an export.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="How the recording is called; by default as the file.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a recording of a file. What is malformed, or too large, makes none."""
    settings = configuration(config, store).settings
    called = name or file.name.partition(".")[0]
    from addon.recordings.codecs.files import read
    from addon.recordings.recorded_exchange import Limits

    limits = Limits(settings.store.largest_object, settings.store.max_size)
    kept, left_out = read(RecordingLibrary(settings.library), called, file, settings.policy(), limits)
    if as_json:
        told = [{"place": each.place, "why": each.why} for each in left_out]
        say_json({"name": called, "responses": kept, "left_out": told})
        return
    for each in left_out:
        note(f"left out: {each.place}: {each.why}")
    say(f"{called} holds {kept} responses" if kept != 1 else f"{called} holds 1 response")


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="The name of a recording.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The name of another.")],
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two recordings; Date and Age aside. Fails if anything does."""
    from addon.recordings.diff import differences

    library = RecordingLibrary(configuration(config, store).settings.library)
    with library.opened(first) as one, library.opened(second) as other:
        found = list(differences(one, other))
    if as_json:
        say_json(
            [
                {"method": each.method, "url": each.url, "what": each.what, "first": each.first, "second": each.second}
                for each in found
            ]
        )
    elif found:
        rows = [(each.method, each.url, each.what, each.first or "", each.second or "") for each in found]
        say_table(["METHOD", "URL", "WHAT", first, second], rows)
    else:
        note("nothing differs")
    if found:
        raise typer.Exit(FAILED)


def scrub(
    name: NameArgument,
    field: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="A field, or a member of JSON at whatever depth.", min=1),
    ],
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take fields and JSON members out of a recording; no octet of them is left in it."""
    settings = configuration(config, store).settings
    _refuse_in_use(name, settings)
    from addon.recordings.scrubbing import scrub as scrub_recording

    done = scrub_recording(RecordingLibrary(settings.library), name, frozenset(field), settings.policy())
    if as_json:
        say_json({"name": name, "responses": done.responses, "places": done.places, "merged": done.merged})
    else:
        say(f"{done.places} taken out of {done.responses} responses")
        if done.merged:
            say(f"{done.merged} gone: nothing tells them from a later response to the same URL any more")
    if not done.places:
        raise typer.Exit(NOT_FOUND)
