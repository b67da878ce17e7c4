"""What a scenario found out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure, and what it was to be."""

    who: str
    what: str
    came: str
    """With its unit."""
    limit: str = ""
    """What was aimed at, in words; empty: nothing."""
    reached: bool | None = None
    """None: nothing was aimed at."""


def at_most(who: str, what: str, came: float, limit: float, unit: str) -> Finding:
    """Return a finding that must not be larger than its limit."""
    return Finding(who, what, f"{came:,.2f} {unit}".strip(), f"at most {limit:g} {unit}".strip(), came <= limit)


def at_least(who: str, what: str, came: float, limit: float, unit: str = "") -> Finding:
    """Return a finding that must not be smaller than its limit."""
    return Finding(who, what, f"{came:,.2f} {unit}".strip(), f"at least {limit:g} {unit}".strip(), came >= limit)
