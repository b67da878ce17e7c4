"""The picture of `secondhand hist`: for each stretch of time, a column of hits with other responses on top of them."""

from __future__ import annotations

from rich.text import Text

from addon.cli.live.latency import bucket_names
from addon.cli.live.snapshot import Change
from addon.runtime.metrics.definitions import TIMED_OUTCOMES

HIT, OTHER = "|", "#"
"""The characters of a column, as varnishhist has them."""

_WIDTH = 5
"""Characters for a column, one of them a space."""

_FIXED = 5
"""Lines other than those of the columns."""


def bars(change: Change, height: int) -> Text:
    """Return the picture of the responses of the last seconds, in so many lines."""
    hits, others = recent(change)
    both = [hit + other for hit, other in zip(hits, others, strict=True)]
    highest, lines = max(both), max(3, height - _FIXED)
    text = Text(no_wrap=True)
    text.append(
        f"{HIT} {sum(hits):,.0f} hits   {OTHER} {sum(others):,.0f} other responses"
        f"   in the last {change.seconds:.0f} s; a full column is {highest:,.0f}\n\n"
    )
    columns = [_column(hit, total, highest, lines) for hit, total in zip(hits, both, strict=True)]
    for line in range(lines):
        for column in columns:
            character = column[lines - 1 - line]
            text.append(character * (_WIDTH - 1) + " ", style="green" if character == HIT else "red")
        text.append("\n")
    labels = [name.replace(" ", "").removeprefix("≤").replace("ms", "") for name in bucket_names()]
    text.append("".join(f"{label:<{_WIDTH}}" for label in labels) + "\n", style="bold")
    text.append("within so many ms, or s   q quit", style="dim")
    return text


def recent(change: Change) -> tuple[list[float], list[float]]:
    """Return the hits and the other responses of the last seconds by bucket."""
    others = (outcome for outcome in TIMED_OUTCOMES if outcome != "hit")
    return change.durations_of("hit"), [sum(counts) for counts in zip(*map(change.durations_of, others), strict=True)]


def _column(hits: float, total: float, highest: float, lines: int) -> str:
    """Return the characters of a column, from below; any response is at least one of them."""
    if not total:
        return " " * lines
    filled = max(1, round(lines * total / highest))
    of_hits = round(filled * hits / total)
    return (HIT * of_hits + OTHER * (filled - of_hits)).ljust(lines)
