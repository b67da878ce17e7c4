"""The time line of `secondhand why` as one SVG file: no script, nothing from elsewhere, and all text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from time import gmtime, strftime

from addon.config.units import time_text
from addon.runtime.control_client import tables_in

_WIDTH, _LEFT = 880, 16
_BAR_TOP, _BAR_HEIGHT = 84, 22
_LINE = 22
_NOW_BEYOND = 0.5
"""The place of the present in the last part, which has no end."""

_MEANINGS = {
    "fresh": "fresh: it is sent",
    "while-revalidated": "stale: it is sent while it is validated",
    "if-error": "stale: it is sent if the origin fails",
    "if-unreachable": "stale: it is sent if the origin cannot be reached",
    "without-origin": "it is sent without the origin",
}
_BEYOND = "then: only after the origin has confirmed it"

_STYLE = """
svg { color: #1c1e21; background: #ffffff; font: 13px system-ui, sans-serif; }
text { fill: currentColor; } .url { font-weight: 600; } .quiet { opacity: 0.75; }
.fresh { fill: #2c7fb8; } .while-revalidated { fill: #5aa59a; } .if-error { fill: #b8860b; }
.if-unreachable { fill: #c0392b; } .without-origin { fill: #b8860b; } .beyond { fill: #8c8f94; }
@media (prefers-color-scheme: dark) { svg { color: #e6e7e9; background: #1e2125; } }
"""


def picture(url: str, line: Mapping[str, object]) -> str:
    """Return the picture of a time line, as the reply to `why` has it, for a URL."""
    parts = tables_in(line["segments"])
    if not parts or parts[-1]["end"] is not None:
        parts.append({"use": "beyond", "start": None, "end": None, "source": line.get("validate")})
    now, made = _seconds(line["now"]), _seconds(line["made_at"])
    told = [
        f"stored {_clock(_seconds(line['stored_at']))}, age {time_text(max(0.0, now - made))}",
        *(_sentence(each) for each in parts),
    ]
    height = _BAR_TOP + _BAR_HEIGHT + 30 + _LINE * len(told)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(f"The life of the copy of {url}: " + "; ".join(told))}">'
        f"<style>{_STYLE}</style>"
        f'<text class="url" x="{_LEFT}" y="24">{escape(_shortened(url))}</text>'
        f'<text class="quiet" x="{_LEFT}" y="44">Each part has the same width, however long it is.</text>'
        f"{''.join(_bar(parts, now))}{''.join(_legend(parts, told))}</svg>\n"
    )


def _bar(parts: list[dict[str, object]], now: float) -> Iterator[str]:
    width = (_WIDTH - 2 * _LEFT) / len(parts)
    place = len(parts) - 1 + _NOW_BEYOND
    for number, kind in enumerate(escape(str(part["use"])) for part in parts):
        yield (
            f'<rect class="{kind}" x="{_LEFT + number * width:.1f}" y="{_BAR_TOP}" width="{width - 2:.1f}"'
            f' height="{_BAR_HEIGHT}" rx="2"/>'
        )
    for number, part in reversed(list(enumerate(parts))):
        start, end = _seconds(part["start"]), _seconds(part["end"])
        if part["end"] is not None and now < end:
            place = number + max(0.0, now - start) / (end - start)
    x = _LEFT + place * width
    yield f'<path d="M{x:.1f} {_BAR_TOP - 8}V{_BAR_TOP + _BAR_HEIGHT + 8}" stroke="currentColor" stroke-width="3"/>'
    anchor = "end" if x > _WIDTH / 2 else "start"
    yield f'<text x="{x:.1f}" y="{_BAR_TOP - 10}" text-anchor="{anchor}">now, {_clock(now)}</text>'


def _legend(parts: list[dict[str, object]], told: list[str]) -> Iterator[str]:
    kinds = ["", *(str(part["use"]) for part in parts)]
    for number, (kind, sentence) in enumerate(zip(kinds, told, strict=True)):
        y = _BAR_TOP + _BAR_HEIGHT + 34 + number * _LINE
        if kind:
            yield f'<rect class="{escape(kind)}" x="{_LEFT}" y="{y - 11}" width="12" height="12" rx="2"/>'
        yield f'<text x="{_LEFT + 20}" y="{y}">{escape(sentence)}</text>'


def _sentence(part: Mapping[str, object]) -> str:
    source = part["source"]
    if part["use"] == "beyond":
        return f"{_BEYOND} ({source})" if source else _BEYOND
    start, end = _seconds(part["start"]), _seconds(part["end"])
    meaning = _MEANINGS.get(str(part["use"]), str(part["use"]))
    if part["end"] is None:
        return f"{meaning}, however old it is (by {source})"
    more = "" if part["use"] == "fresh" else " more"
    return f"{meaning}, until {_clock(end)} ({time_text(end - start)}{more}, by {source})"


def _shortened(url: str) -> str:
    return url if len(url) <= 80 else f"{url[:79]}…"


def _clock(seconds: float) -> str:
    return strftime("%Y-%m-%d %H:%M:%S UTC", gmtime(seconds))


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
