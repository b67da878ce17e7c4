"""`secondhand warm`: fetch into the store what will be needed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from addon.cli.options import (
    ConfigOption,
    HeaderOption,
    JsonOption,
    PrivateOption,
    ProfileOption,
    StoreOption,
    configuration_of,
    request_of,
)
from addon.cli.terminal import FAILED, fail, say, say_json, say_table
from addon.config.settings import Settings
from addon.config.units import size_text
from cache.policy.rules import Mode

if TYPE_CHECKING:
    from addon.warm.readers.sources import Named
    from addon.warm.run import Report

FilesOption = list[Path] | None


def warm(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="URL|FILE...", help="URLs as clients ask for them, or lock files.")
    ] = None,
    sitemap: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="All pages of a sitemap.", show_default=False)
    ] = None,
    file: Annotated[FilesOption, typer.Option(metavar="FILE", help="A file of URLs, one a line.")] = None,
    har: Annotated[FilesOption, typer.Option(metavar="FILE", help="The GET requests of a HAR file.")] = None,
    lock: Annotated[
        FilesOption,
        typer.Option(
            metavar="FILE",
            help="requirements.txt, uv.lock, package-lock.json, Cargo.lock or go.sum: all that it names.",
        ),
    ] = None,
    index: Annotated[
        str | None, typer.Option(metavar="URL", help="The sparse index of Cargo, where its configuration names none.")
    ] = None,
    header: HeaderOption = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="How many fetches at a time.")] = 8,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch into the store what will be needed. What is there and fresh is left alone, so a round can be repeated.

    Files from lock files are those for this machine, and are checked against the digests given there.
    """
    settings = configuration_of(config, store, private=private, profile=profile).settings
    if settings.cache.mode is Mode.OFFLINE:
        fail("cache.mode is offline: nothing can be fetched", FAILED)
    from addon.warm.readers.sources import Named  # loads what only those need who ask origins

    fields = request_of("http://localhost/", header or []).fields.lines
    files = [each for each in what or () if Path(each).is_file()]
    urls = [each for each in what or () if each not in files]
    for url in urls:
        request_of(url, [])
    named = Named(
        urls=tuple(urls),
        sitemaps=tuple(sitemap or ()),
        files=tuple(file or ()),
        hars=tuple(har or ()),
        locks=(*map(Path, files), *(lock or ())),
        index=index,
        fields=fields or (("User-Agent", "secondhand"),),  # some origins refuse to answer without
    )
    if not named.sources():
        raise typer.BadParameter("expected a URL, a lock file, --sitemap, --file or --har")
    report = asyncio.run(_warmed(settings, named, jobs, quiet=as_json))
    if as_json:
        failed = [{"name": each.name, "why": each.why} for each in report.failed]
        say_json({"fetched": report.fetched, "there": report.there, "octets": report.octets, "failed": failed})
    else:
        _say(report)
    if report.failed:
        raise typer.Exit(FAILED)


async def _warmed(settings: Settings, named: Named, jobs: int, *, quiet: bool) -> Report:
    from addon.cli.warming import Bar, Lines
    from addon.warm.run import Progress, warm
    from addon.warm.transport import Fetching, transport_for

    with Progress() if quiet else Bar() if sys.stderr.isatty() else Lines() as progress:
        async with transport_for(settings) as way:
            return await warm(named.sources(), Fetching(way, jobs), progress)


def _say(report: Report) -> None:
    if report.failed and sys.stderr.isatty():  # elsewhere each has had its line
        say_table(["FAILED", "WHY"], [(each.name, each.why) for each in report.failed], ["bold"])
    say(
        f"{report.fetched} fetched ({size_text(report.octets)}), {report.there} there already,"
        f" {len(report.failed)} failed"
    )
