"""`secondhand warm`: fetch URLs into the store before they are needed."""

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
    load_shared_or_private,
    parse_request,
)
from addon.cli.terminal import fail, print_json, print_line, print_table
from addon.config.settings import Settings
from addon.config.units import size_text
from addon.runtime.exit_codes import FAILED, NOT_FOUND
from cache.policy.operator_rules import Mode

if TYPE_CHECKING:
    from addon.warm.run import WarmReport
    from addon.warm.sources import NamedSources

FilesOption = list[Path] | None


def warm(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="URL|FILE...", help="URLs, as clients request them, or lock files.")
    ] = None,
    sitemap: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="All pages of a sitemap.", show_default=False)
    ] = None,
    file: Annotated[FilesOption, typer.Option(metavar="FILE", help="A file with one URL per line.")] = None,
    har: Annotated[FilesOption, typer.Option(metavar="FILE", help="The GET requests of a HAR file.")] = None,
    lock: Annotated[
        FilesOption,
        typer.Option(
            metavar="FILE",
            help="A lock file, like package-lock.json or poetry.lock: all that its package manager requests.",
        ),
    ] = None,
    index: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="For lock files that name none: Cargo's sparse index, or a repository of Gradle or Maven.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Fetch nothing: list what is missing, with exit code 3 if something is.")
    ] = False,
    header: HeaderOption = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="The number of simultaneous fetches.")] = 8,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch URLs into the store before they are needed.

    Stored responses that are fresh are not fetched again, so the command can be repeated. Of a lock file, all that its
    package manager requests on this machine is fetched, and checked against the digests in the file.
    """
    settings = load_shared_or_private(config, store, private=private, profile=profile).settings
    if settings.cache.mode is Mode.OFFLINE and not check:
        fail("cache.mode is offline: nothing can be fetched", FAILED)
    from addon.warm.sources import NamedSources  # slow to import, and few commands need it

    fields = parse_request("http://localhost/", header or []).fields.lines
    files = [each for each in what or () if Path(each).is_file()]
    urls = [each for each in what or () if each not in files]
    for url in urls:
        if "://" not in url:
            problem = f'expected a URL like "https://example.org/path" or a file that exists, found "{url}"'
            raise typer.BadParameter(problem, param_hint="URL|FILE")
        parse_request(url, [])
    sources = NamedSources(
        urls=tuple(urls),
        sitemaps=tuple(sitemap or ()),
        files=tuple(file or ()),
        hars=tuple(har or ()),
        locks=(*map(Path, files), *(lock or ())),
        indexes=tuple(index or ()),
        fields=fields or (("User-Agent", "secondhand"),),  # some origins refuse requests without it
    )
    if not sources.sources():
        raise typer.BadParameter("expected a URL, a lock file, --sitemap, --file or --har")
    if check:
        _check(settings, sources, jobs, as_json=as_json)
    else:
        _fetch(settings, sources, jobs, as_json=as_json)


def _fetch(settings: Settings, sources: NamedSources, jobs: int, *, as_json: bool) -> None:
    report = asyncio.run(_warm(settings, sources, jobs, quiet=as_json))
    if as_json:
        failed = [{"name": each.name, "why": each.why} for each in report.failed]
        print_json({"fetched": report.fetched, "there": report.already_fresh, "octets": report.size, "failed": failed})
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(FAILED)


def _check(settings: Settings, sources: NamedSources, jobs: int, *, as_json: bool) -> None:
    """Print what is missing in the store. The exit code is NOT_FOUND, or FAILED if a source cannot be read."""
    report = asyncio.run(_find_stored(settings, sources, jobs))
    stored = report.fetched + report.already_fresh
    missing = [{"name": each.name, "why": each.why} for each in report.failed]
    if as_json:
        print_json({"stored": stored, "missing": missing})
    else:
        if missing:
            print_table(["MISSING", "WHY"], [(each["name"], each["why"]) for each in missing], copyable=True)
        print_line(f"{stored} stored, {len(missing)} missing")
    if missing:
        raise typer.Exit(FAILED if report.unreadable else NOT_FOUND)


async def _find_stored(settings: Settings, sources: NamedSources, jobs: int) -> WarmReport:
    from addon.warm.run import Progress, warm
    from addon.warm.transport import WarmFetcher, stored_transport_for

    async with stored_transport_for(settings) as transport:
        return await warm(sources.sources(), WarmFetcher(transport, jobs), Progress())


async def _warm(settings: Settings, sources: NamedSources, jobs: int, *, quiet: bool) -> WarmReport:
    from addon.cli.warm_progress import ProgressBar, ProgressLines
    from addon.warm.run import Progress, warm
    from addon.warm.transport import WarmFetcher, transport_for

    with Progress() if quiet else ProgressBar() if sys.stderr.isatty() else ProgressLines() as progress:
        async with transport_for(settings) as transport:
            return await warm(sources.sources(), WarmFetcher(transport, jobs), progress)


def _print_report(report: WarmReport) -> None:
    if report.failed and sys.stderr.isatty():  # without a terminal, each failure has its own line already
        print_table(["FAILED", "WHY"], [(each.name, each.why) for each in report.failed], copyable=True)
    print_line(
        f"{report.fetched} fetched ({size_text(report.size)}), {report.already_fresh} already fresh,"
        f" {len(report.failed)} failed"
    )
