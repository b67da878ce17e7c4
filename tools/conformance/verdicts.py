"""What a run comes to: a verdict for each test in both of the suite's forms, and the scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tools.conformance.aims import Failure, Form, aims, expected
from tools.conformance.recording import Recording

FORMS: tuple[Form, ...] = ("release", "present")
PRESENT = "present/"
"""Marks the tests of ours, written as the suite has them now, beside those of the same id in the release."""


@dataclass(frozen=True)
class Verdict:
    """Of one test: its kind, the name it was played under, and why it did not pass, if it did not."""

    kind: str
    played_as: str
    fault: str | None


def verdicts(recording: Recording, form: Form) -> dict[str, Verdict]:
    """Return the verdict on each test of a form, by its id."""
    names = _names(recording, form)
    return {
        test: Verdict(kind, names[test], _fault(recording, names, test))
        for test, kind in _kinds(recording, form).items()
    }


def _kinds(recording: Recording, form: Form) -> dict[str, str]:
    if form == "present":
        return {test: aim.kind for test, aim in aims().items()}
    return {name: test.kind for name, test in recording.tests.items() if not name.startswith(PRESENT)}


def _names(recording: Recording, form: Form) -> dict[str, str]:
    """The present form is what we wrote ourselves, and the release for the rest."""
    names = {name: name for name in recording.tests if not name.startswith(PRESENT)}
    if form == "present":
        names |= {name.removeprefix(PRESENT): name for name in recording.tests if name.startswith(PRESENT)}
    return names


def _fault(recording: Recording, names: Mapping[str, str], test: str) -> str | None:
    """A test says nothing if one did not pass that it builds on."""
    fault = recording.verdicts[names[test]]
    if fault:
        return fault
    return next(
        (f"it builds on {one}" for one in recording.tests[names[test]].depends_on if _fault(recording, names, one)),
        None,
    )


def scores(recording: Recording, form: Form) -> tuple[Counter[str], Counter[str]]:
    """Return how many tests of each kind passed, and how many there are."""
    found = verdicts(recording, form).values()
    return Counter(one.kind for one in found if not one.fault), Counter(one.kind for one in found)


def deviations(recording: Recording) -> dict[str, str]:
    """Return what went otherwise than it was to, by the name a test was played under: its fault, or that it passed."""
    said = {}
    # the present form comes last: it counts where both have the same test
    for form in FORMS:
        listed = expected(form)
        for test, verdict in verdicts(recording, form).items():
            said[verdict.played_as] = _deviation(verdict, listed.get(test))
    return {name: deviation for name, deviation in said.items() if deviation}


def _deviation(verdict: Verdict, listed: Failure | None) -> str | None:
    if verdict.fault:
        return None if listed else verdict.fault
    return f"passed, though it was not to: {listed.reason}" if listed else None
