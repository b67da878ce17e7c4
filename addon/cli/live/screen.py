"""The screen of `secondhand top`: complete at 80 columns and 24 lines; a larger one has more rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from addon.cli.live.latency import quantile
from addon.cli.live.session import KEYS, Session
from addon.cli.live.snapshot import Change
from addon.cli.terminal import printable
from addon.config.units import percent, size_text, time_text
from addon.runtime.control_client import number_in
from addon.runtime.metrics.definitions import TIMED_OUTCOMES
from addon.runtime.series.counts import OUTCOMES

STYLES = {
    "hit": "green",
    "stale": "yellow",
    "validated": "blue",
    "miss": "default",
    "bypass": "magenta",
    "error": "red",
}
"""The colours of the outcomes."""

_FIXED = 16
"""Lines other than those of hosts and exchanges."""

type Row = tuple[str, ...]


def screen(change: Change, session: Session, height: int) -> Group:
    """Return the screen for so many lines."""
    free = max(2, height - _FIXED)
    hosts = min(max(1, free // 2), 4 + max(0, free - 8) // 3)
    parts: list[RenderableType] = [_headline(change), Text(), _figures(change), Text()]
    if session.page:
        parts += [Text(printable(line)) for line in session.page][: free + 3]
    else:
        listed = host_rows(change)[:hosts]
        parts += [_table(HOST_COLUMNS, listed), Text(), _exchanges(session, free - len(listed))]
    return Group(*parts, _last_line(session))


def headline(change: Change) -> str:
    """Return the most important numbers as one line."""
    now = change.later
    rate = f"hit rate {percent(change.from_copies, change.responses)}" if change.responses else "no requests"
    saved = f"{size_text(now.counts['bytes_from_copies'])} and {time_text(now.counts['milliseconds_saved'] / 1000)}"
    return (
        f"{change.responses / change.seconds:,.1f} requests/s, {rate} now,"
        f" {percent(now.from_copies, now.responses)} in all, saved {saved}"
    )


def outcome_rows(change: Change) -> list[Row]:
    """Return the rows about outcomes: the name, responses a second now, all responses, and their share."""
    now, counts = change.later, change.counts
    return [
        (
            name,
            f"{counts[name] / change.seconds:,.1f}",
            f"{now.counts[name]:,}",
            percent(now.counts[name], now.responses),
        )
        for name in OUTCOMES
    ]


def latency_rows(change: Change) -> list[Row]:
    """Return the rows about times since the start: the outcome, and within which time parts of them were sent."""
    return [
        (outcome, *(quantile(change.later.durations.get(outcome, ()), part) for part in (0.5, 0.95, 0.99)))
        for outcome in TIMED_OUTCOMES
    ]


def exchange_rows(exchanges: Sequence[Mapping[str, object]]) -> Iterator[Row]:
    """Return the rows about exchanges."""
    for each in exchanges:
        times = number_in(each.get("times"))
        at = time.strftime("%H:%M:%S", time.localtime(float(str(each["at"]))))
        decision = "/".join(filter(None, (str(each["decision"]), str(each["reason"])))) or "-"
        url = str(each["url"]) + (f"  ({times:,} times)" if times > 1 else "")
        yield at, str(each["status"]), decision, f"{float(str(each['seconds'])) * 1000:,.0f} ms", url


OUTCOME_COLUMNS = ("OUTCOME", ">NOW/s", ">RESPONSES", ">SHARE")
LATENCY_COLUMNS = ("TIMES", ">50%", ">95%", ">99%")
HOST_COLUMNS = ("HOST", ">NOW/s", ">REQUESTS", ">HIT RATE", ">FROM COPIES", ">FAILURES")
NO_EXCHANGES = "Exchanges are listed only with an admin listener: admin.listen."
EXCHANGE_COLUMNS = ("TIME", ">STATUS", "DECISION/REASON", ">TOOK", "URL")


def host_rows(change: Change) -> list[Row]:
    """Return the rows about hosts, the busiest now first, and those of the same rate by all their requests."""
    busiest = sorted(change.later.hosts, key=lambda host: -change.requests_of(host))  # it has the most requests first
    return [_host_row(host, change.later.hosts[host], change) for host in busiest]


def _host_row(host: str, counted: Mapping[str, int], change: Change) -> Row:
    return (
        host,
        f"{change.requests_of(host) / change.seconds:,.1f}",
        f"{counted['requests']:,}",
        percent(counted["hits"], counted["requests"]),
        size_text(counted["octets.from_copy"]),
        f"{counted['failures']:,}",
    )


def _headline(change: Change) -> Text:
    now = change.later
    runs = f", runs for {time_text(time.time() - now.since)}" if now.since is not None else ""
    title = Text(f"secondhand  {time.strftime('%H:%M:%S')}{runs}, mode {now.mode}\n", no_wrap=True)
    return title.append(headline(change), style="bold")


def _figures(change: Change) -> Table:
    both = Table.grid(padding=(0, 4))
    outcomes = _table(OUTCOME_COLUMNS, outcome_rows(change), [STYLES[name] for name in OUTCOMES])
    both.add_row(outcomes, _table(LATENCY_COLUMNS, latency_rows(change)))
    return both


def _exchanges(session: Session, lines: int) -> RenderableType:
    if not session.lists_exchanges:
        return Text(NO_EXCHANGES, style="dim", no_wrap=True)
    selected = session.selected
    first = max(0, selected - lines + 1)
    shown = session.listed[first : first + lines]
    styles = ["reverse" if first + number == selected else "" for number in range(len(shown))]
    return _table(EXCHANGE_COLUMNS, list(exchange_rows(shown)), styles, expand=True)


def _last_line(session: Session) -> Text:
    if session.question is not None:
        return Text(printable(session.question.text), style="bold", no_wrap=True)
    if session.is_typing:
        return Text(f"only with: {printable(session.pattern)}_", style="bold", no_wrap=True)
    if session.page:
        return Text("any key: back", style="dim")
    only = f"only with {session.pattern}   " if session.pattern else ""
    return Text(printable(session.message or only + KEYS), style="dim", no_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[Row], styles: Sequence[str] = (), *, expand: bool = False) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=expand)
    for number, column in enumerate(columns):
        table.add_column(
            Text(column.lstrip(">")),
            justify="right" if column.startswith(">") else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if expand and number == len(columns) - 1 else None,
            max_width=36 if number in (0, 2) else None,
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(printable(cell)) for cell in row), style=styles[number] if styles else None)
    return table
