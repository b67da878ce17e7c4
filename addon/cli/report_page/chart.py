"""The chart over time: stacked bars, as inline SVG without any text, so that it can be drawn at any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from time import localtime, strftime

from addon.cli.report_page.facts import Period
from addon.runtime.series.counts import NOTHING, OUTCOMES, Counts, by_name, responses_in

MAX_BARS = 96

_WIDTH, _HEIGHT = 960, 200
"""The units of the drawing, which is stretched to the width of the page."""

_GAP = 0.15
"""The part of a bar's width that is left empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The numbers of one or more steps together."""

    at: int
    """The time at which it begins, in seconds since the epoch."""
    counts: Counts

    @property
    def responses(self) -> int:
        """The number of responses."""
        return responses_in(by_name(self.counts))


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of a period."""

    bars: Sequence[Bar]
    seconds: int
    """The length of a bar, in seconds."""

    @property
    def highest(self) -> int:
        """The most responses of a bar."""
        return max((bar.responses for bar in self.bars), default=0)

    def svg(self, label: str) -> str:
        """Return the drawing. `label` says in words what it shows."""
        lines = "".join(f'<path class="grid" d="M0 {_HEIGHT * part / 4:g}H{_WIDTH}"/>' for part in range(4))
        bars = "".join(self._drawn(number, bar) for number, bar in enumerate(self.bars) if bar.responses)
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
            f"{lines}{bars}</svg>"
        )

    def _drawn(self, number: int, bar: Bar) -> str:
        width = _WIDTH / len(self.bars)
        left, inner = number * width + width * _GAP / 2, width * (1 - _GAP)
        return f"<g><title>{escape(_title(bar))}</title>{''.join(self._parts(bar, left, inner))}</g>"

    def _parts(self, bar: Bar, left: float, width: float) -> Iterator[str]:
        top = float(_HEIGHT)
        for outcome, count in zip(OUTCOMES, bar.counts, strict=False):
            if count:
                height = _HEIGHT * count / self.highest
                top -= height
                yield (
                    f'<rect class="{outcome}" x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
                )


def chart_of(period: Period, points: Sequence[tuple[int, Counts]]) -> Chart:
    """Return the chart of points, several of which may share a bar."""
    steps = max(1, round((period.until - period.since) / period.step))
    seconds = period.step * -(-steps // MAX_BARS)
    first = int(period.until) // period.step * period.step - (steps - 1) * period.step
    sums: dict[int, Counts] = {}
    for at, counts in points:
        number = max(0, at - first) // seconds
        sums[number] = tuple(map(sum, zip(sums.get(number, NOTHING), counts, strict=True)))
    number_of_bars = -(-steps * period.step // seconds)
    bars = [Bar(first + number * seconds, sums.get(number, NOTHING)) for number in range(number_of_bars)]
    return Chart(bars, seconds)


def moment(at: float) -> str:
    """Return a time in seconds since the epoch as text, with the time zone of this machine."""
    return strftime("%Y-%m-%d %H:%M %Z", localtime(at))


def _title(bar: Bar) -> str:
    counts = by_name(bar.counts)
    named = [f"{counts[name]:,} {name}" for name in OUTCOMES if counts[name]]
    return f"{moment(bar.at)}: {', '.join(named)}"
