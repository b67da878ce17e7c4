"""The report as HTML: one file that needs nothing else, for a browser and for a colleague.

Hosts come from clients, so everything is escaped; and the page allows neither scripts nor anything from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from addon.cli.report_page.chart import Chart, chart_of, moment
from addon.cli.report_page.facts import Facts
from addon.cli.report_page.style import STYLE
from addon.cli.terminal import printable
from addon.config.units import percent, size_text, time_text
from addon.runtime.counters import members_of
from addon.runtime.page_policy import page_policy
from addon.runtime.series.counts import COUNTS, OUTCOMES, copies_in, responses_in
from addon.runtime.version import version_of
from cache.policy.reason_texts import text_of
from cache.policy.reasons import NotStored, Refused
from cache.policy.storing_remedies import remedy_of

MAX_HOSTS = 15
"""Hosts that are listed, the busiest ones."""

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
"""

_FOOT = "</main>\n</body>\n</html>\n"

type Cell = str | int
"""A cell of a table; a number is aligned to the right."""


def page(facts: Facts) -> str:
    """Return the report."""
    title = "What the cache has done"
    head = _HEAD.format(policy=escape(page_policy(STYLE)), title=title, style=STYLE)
    period = f"{moment(facts.period.since)} to {moment(facts.period.until)}"
    parts = [
        f"<header><h1>{title}</h1>",
        f'<p class="soft">{_text(period)}, secondhand {_text(version_of("secondhand"))}</p></header>',
        *_tiles(facts),
        *_over_time(facts),
        *_reasons(facts),
        *_hosts(facts),
        *_findings(facts),
        *_store(facts),
    ]
    return head + "\n".join(parts) + "\n" + _FOOT


def _tiles(facts: Facts) -> Iterator[str]:
    total = facts.totals
    responses, copies = responses_in(total), copies_in(total)
    fetched, copied = total["bytes_from_origins"], total["bytes_from_copies"]
    yield '<dl class="tiles">'
    yield _tile("Hit rate", percent(copies, responses), f"{copies:,} of {responses:,} responses from copies", "main")
    yield _tile(
        "Bytes saved", size_text(copied), f"{percent(copied, copied + fetched)} of all content came from copies"
    )
    saved = total["milliseconds_saved"] / 1000
    yield _tile("Time saved", time_text(saved) if saved >= 1 else f"{saved:.1f}s", "of waiting for origins")
    yield _tile("Errors", f"{total['error']:,}", "responses of the proxy's own")
    yield "</dl>"


def _tile(name: str, value: str, more: str, kind: str = "") -> str:
    return f'<div class="{kind}"><dt>{_text(name)}</dt><dd>{_text(value)}</dd><dd class="more">{_text(more)}</dd></div>'


def _over_time(facts: Facts) -> Iterator[str]:
    yield "<h2>Responses over time</h2>"
    total = facts.totals
    responses = responses_in(total)
    if not responses:
        yield "<p>No request was counted in this time.</p>"
        return
    chart = chart_of(facts.period, facts.points)
    yield _figure(chart)
    rows = [
        (
            f'<span class="outcome">{_swatch(name)}{name}</span>',
            f"{total[name]:,}",
            percent(total[name], responses),
            _text(COUNTS[name]),
        )
        for name in OUTCOMES
    ]
    yield _table(["Outcome", "#Responses", "#Share", "Meaning"], rows)


def _figure(chart: Chart) -> str:
    length = time_text(chart.seconds)
    label = f"Responses by outcome over time, at most {chart.highest:,} in {length}"
    times = "".join(f"<span>{_text(moment(chart.bars[number].at))}</span>" for number in (0, len(chart.bars) // 2, -1))
    return (
        f'<p class="soft">A bar is {_text(length)}; the highest has {chart.highest:,} responses.</p>'
        f'<figure>{chart.svg(label)}<div class="times">{times}</div></figure>'
    )


def _swatch(outcome: str) -> str:
    return f'<svg width="12" height="12" aria-hidden="true"><rect class="{outcome}" width="12" height="12"/></svg> '


def _reasons(facts: Facts) -> Iterator[str]:
    yield "<h2>Why responses were not stored</h2>"
    yield _since_start(facts)
    not_stored = [
        (count, *_told(NotStored, name), remedy_of(NotStored(name)) if name in set(NotStored) else "")
        for name, count in members_of(facts.counters, "not_stored").items()
    ]
    yield _table_or(
        "Every response was stored.", ["#Responses", "Reason", "Meaning", "Stored after"], not_stored, facts
    )
    refused = [(count, *_told(Refused, name)) for name, count in members_of(facts.counters, "refused").items()]
    failures = [(count, name, "") for name, count in members_of(facts.counters, "failures").items()]
    yield "<h2>Errors</h2>"
    yield _since_start(facts)
    yield _table_or("The proxy sent no error of its own.", ["#Responses", "Reason", "Meaning"], refused, facts)
    if failures:
        yield "<p>Exchanges with origins that failed:</p>"
        yield _cells(["#Exchanges", "Kind"], [row[:2] for row in failures])


def _told(reasons: type[NotStored | Refused], name: str) -> tuple[str, str]:
    """Return the name of a reason and its sentence; a proxy of another version may have others."""
    return name, text_of(reasons(name)).sentence if name in set(reasons) else ""


def _hosts(facts: Facts) -> Iterator[str]:
    yield "<h2>Busiest hosts</h2>"
    yield _since_start(facts)
    rows = [
        (
            *(host, counted["requests"], percent(counted["hits"], counted["requests"])),
            *(size_text(counted["octets.from_copy"]), size_text(counted["octets.from_origin"]), counted["failures"]),
        )
        for host, counted in list(facts.hosts.items())[:MAX_HOSTS]
    ]
    columns = ["Host", "#Requests", "#Hit rate", "#From copies", "#From origin", "#Failures"]
    yield _table_or("No host was asked for.", columns, rows, facts)
    if (left := len(facts.hosts) - MAX_HOSTS) > 0:
        yield f'<p class="soft">{left:,} more hosts are not listed.</p>'


def _findings(facts: Facts) -> Iterator[str]:
    yield "<h2>Mistakes in the fields of stored responses</h2>"
    checked = facts.findings.checked
    if not checked:
        yield "<p>No stored response was checked.</p>"
        return
    yield f'<p class="soft">{checked:,} stored responses were checked.</p>'
    rows = [
        (*(each.responses, each.finding.level, each.finding.subject, each.finding.sentence), ", ".join(each.hosts))
        for each in facts.findings.found
    ]
    if rows:
        yield _cells(["#Responses", "Level", "Field", "Finding", "Most on"], rows)
    else:
        yield "<p>No mistake was found.</p>"


def _store(facts: Facts) -> Iterator[str]:
    yield "<h2>The store</h2>"
    if facts.entries is None:
        yield "<p>Nothing is known about its content.</p>"
        return
    if not facts.max_size:
        yield f"<p>{facts.entries:,} stored responses; {size_text(facts.size)} are in use.</p>"
        return
    used = f"{size_text(facts.size)} of {size_text(facts.max_size)} are in use ({percent(facts.size, facts.max_size)})"
    yield f"<p>{facts.entries:,} stored responses; {used}.</p>"
    yield f'<meter min="0" max="{facts.max_size}" value="{facts.size}" aria-label="Use of the store"></meter>'


def _since_start(facts: Facts) -> str:
    if facts.running_since is None:
        return '<p class="soft">No proxy is running. Only a running one knows this.</p>'
    return f'<p class="soft">Since the start of the proxy, {_text(moment(facts.running_since))}.</p>'


# ---- tables


def _table_or(nothing: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], facts: Facts) -> str:
    """Return a table, or a sentence if it has no rows and a proxy could know of some."""
    if rows:
        return _cells(columns, rows)
    return "" if facts.running_since is None else f"<p>{_text(nothing)}</p>"


def _cells(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    return _table(columns, [tuple(map(_cell, row)) for row in rows])


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML. A column whose heading begins with "#" has numbers."""
    kinds = [("number" if column.startswith("#") else "name", _text(column.lstrip("#"))) for column in columns]
    heads = [f'<th scope="col" class="{kind}">{label}</th>' for kind, label in kinds]
    lines = []
    for row in rows:
        cells = zip(kinds, row, strict=True)
        # on a small screen, each cell is a line that begins with its label
        line = (f'<td class="{kind}" data-label="{label}"><span>{cell}</span></td>' for (kind, label), cell in cells)
        lines.append(f"<tr>{''.join(line)}</tr>")
    # a wide table is scrolled by itself, also with the keyboard
    return (
        f'<div class="table" tabindex="0"><table><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    return escape(printable(value))
