"""`secondhand report`: a page about the last days, in one file that can be sent to others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, load_shared_or_private
from addon.cli.report_page.facts import collected
from addon.cli.report_page.page import page
from addon.cli.terminal import print_json, print_line
from addon.config.units import parse_time
from addon.runtime.series.series_file import LONGEST


def report(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file for the page.")],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="How far back, up to 30d.")] = "7d",
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a page about the last days: hit rate, savings, reasons, hosts.

    The page is one file of HTML without scripts, which needs nothing from elsewhere. It names hosts, but no URLs.

    Counts over time, and what is stored, are known without a running proxy. Reasons and hosts are those since its
    start.
    """
    seconds = _seconds(since)
    settings = load_shared_or_private(config, store, private=private).settings
    facts = collected(settings, seconds)
    out.write_text(page(facts), encoding="utf-8")
    if as_json:
        period = {"since": facts.period.since, "until": facts.period.until}
        print_json({"file": str(out), **period, "counts": facts.totals})
    else:
        print_line(f"written: {out}")


def _seconds(since: str) -> float:
    try:
        seconds = parse_time(since)
    except ValueError as error:
        raise typer.BadParameter(f'expected {error}, found "{since}"', param_hint="--since") from None
    if not 0 < seconds <= LONGEST:
        raise typer.BadParameter(f'expected a time of at most 30d, found "{since}"', param_hint="--since")
    return seconds
