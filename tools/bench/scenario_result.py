"""One result of a scenario."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One measured value of a server, with its target if there is one."""

    server: str
    name: str
    value: str
    """With its unit."""
    target: str = ""
    """In words, for example "at most 5 s"; empty: no target."""
    reached: bool | None = None
    """None: no target."""


def at_most(server: str, name: str, value: float, limit: float, unit: str) -> ScenarioResult:
    """Return a result whose target is to be no larger than `limit`."""
    shown = f"{value:,.2f} {unit}".strip()
    return ScenarioResult(server, name, shown, f"at most {limit:g} {unit}".strip(), value <= limit)


def at_least(server: str, name: str, value: float, limit: float, unit: str = "") -> ScenarioResult:
    """Return a result whose target is to be no smaller than `limit`."""
    shown = f"{value:,.2f} {unit}".strip()
    return ScenarioResult(server, name, shown, f"at least {limit:g} {unit}".strip(), value >= limit)
