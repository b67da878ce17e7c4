"""`secondhand diff`, also as `secondhand recordings diff`: compares recordings, or one with what origins answer now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, load_configuration
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.config.settings import Settings
from addon.recordings.library import RecordingLibrary
from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError, running_proxies, table_in, tables_in
from addon.runtime.exit_codes import FAILED

LIVE = "now"
"""The heading of what origins answer now."""

type Table = dict[str, object]


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="The name of a recording.")],
    second: Annotated[
        str | None, typer.Argument(metavar="B", help="The name of another one; by default, origins are asked.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A field that may differ.", show_default=False)
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Print the lines in which texts differ, too.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two recordings, or one with what the origins answer now.

    Date, Age and Server-Timing may differ, and so may content codings. Fails if anything else does. Origins are asked
    by the running proxy, if there is one.
    """
    settings = load_configuration(config, store).settings
    library = RecordingLibrary(settings.library)
    lines = lines and not as_json
    if second is None:
        library.existing(first)  # its errors have exit codes of their own
        arguments = {"first": first, "ignore": ignore or [], **({"lines": True} if lines else {})}
        changed, not_compared = asyncio.run(_compared_with_origins(settings, arguments))
    else:
        changed, not_compared = _compared(library, (first, second), ignore or [], with_lines=lines), []
    rows = [*_rows(changed), *_rows_not_compared(not_compared)]
    if as_json:
        print_json(rows)
    elif rows:
        columns = ("method", "url", "what", "first", "second")
        table = [[str(row[column] or "") for column in columns] for row in rows]
        print_table(["METHOD", "URL", "PART", first, second or LIVE], table, copyable=True)
        if lines:
            _print_lines(changed)
    else:
        print_note("no differences")
    if rows:
        raise typer.Exit(FAILED)


def _compared(
    library: RecordingLibrary, names: tuple[str, str], ignore: Iterable[str], *, with_lines: bool
) -> list[Table]:
    """Return the responses of two recordings that are not the same. Raises StoreError."""
    from addon.recordings.diff import Comparison  # slow to import, and few commands need it

    ignored = frozenset(name.lower() for name in ignore)
    with library.opened(names[0]) as first, library.opened(names[1]) as second:
        return [asdict(each) for each in Comparison(first, second, ignored, with_lines).all()]


async def _compared_with_origins(
    settings: Settings, arguments: Mapping[str, object]
) -> tuple[list[Table], list[Table]]:
    """Return the responses that are not the same now, and those that could not be compared.

    Raises ControlError, StoreError and ConfigError.
    """
    if proxies := running_proxies(settings.store.directory):

        async def ask(arguments: Mapping[str, object]) -> Table:
            return await proxies[0].ask_async("diff", **arguments)

        return await _all_parts(ask, arguments)
    from addon.service import Service  # slow to import, and the running proxy needs none here

    service = Service(settings)
    try:
        return await _all_parts(service.commands["diff"], arguments)
    except ValueError as error:
        raise ControlError(str(error)) from None
    finally:
        await service.close()


async def _all_parts(ask: Handler, arguments: Mapping[str, object]) -> tuple[list[Table], list[Table]]:
    changed: list[Table] = []
    not_compared: list[Table] = []
    after: object = ""
    while after is not None:
        part = await ask({**arguments, "after": after})
        changed += tables_in(part["changed"])
        not_compared += tables_in(part["not_compared"])
        after = part["next"]
    return changed, not_compared


def _rows(changed: Iterable[Table]) -> Iterator[Table]:
    """Yield a row for each difference, and for each response that only one recording has."""
    for each in changed:
        request = {"method": each["method"], "url": each["url"]}
        if each["in_first"] and each["in_second"]:
            for found in tables_in(each["differences"]):
                yield {**request, "what": found["part"], "first": found["first"], "second": found["second"]}
        else:
            there = ["there" if each[side] else None for side in ("in_first", "in_second")]
            yield {**request, "what": "only", "first": there[0], "second": there[1]}


def _rows_not_compared(not_compared: Iterable[Table]) -> Iterator[Table]:
    for each in not_compared:
        yield {
            "method": each["method"],
            "url": each["url"],
            "what": "not compared",
            "first": None,
            "second": each["why"],
        }


def _print_lines(changed: Iterable[Table]) -> None:
    """Print the lines in which texts differ, as `diff -u` marks them, with their numbers."""
    for each in changed:
        content = table_in(each["content"])
        if not content:
            continue
        print_line("")
        print_line(f"{each['method']} {each['url']}{': ' if content['note'] else ''}{content['note']}")
        for line in tables_in(content["lines"]):
            if line["first"] == line["second"]:
                print_line(f"{line['first_number']:>6}   {line['first']}")
                continue
            for mark, side in (("-", "first"), ("+", "second")):
                if line[side] is not None:
                    print_line(f"{line[f'{side}_number']:>6} {mark} {line[side]}")
