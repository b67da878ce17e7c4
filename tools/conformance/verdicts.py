"""Verdicts of a run for both forms of the suite, scores, and deviations from the expected results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tools.conformance.aims import Failure, Form, expected_failures, expected_results
from tools.conformance.recording import Recording

FORMS: tuple[Form, ...] = ("release", "present")
PRESENT = "present/"
"""Prefix of the ids of our own tests, written as the suite has them now; the release may have a test of the same id."""


@dataclass(frozen=True)
class Verdict:
    """Verdict on one test. `played_id`: the id under which it was played. `failure`: the reason; None for a pass."""

    kind: str
    played_id: str
    failure: str | None


def verdicts(recording: Recording, form: Form) -> dict[str, Verdict]:
    """Return the verdict on each test of a form, by its id."""
    played_ids = _played_ids(recording, form)
    return {
        test: Verdict(kind, played_ids[test], _failure(recording, played_ids, test))
        for test, kind in _kinds(recording, form).items()
    }


def _kinds(recording: Recording, form: Form) -> dict[str, str]:
    """Return the kind of each test of a form, by its id."""
    if form == "present":
        return {test: expected.kind for test, expected in expected_results().items()}
    return {name: test.kind for name, test in recording.tests.items() if not name.startswith(PRESENT)}


def _played_ids(recording: Recording, form: Form) -> dict[str, str]:
    """Return the played id of each test: in the present form our own test if there is one, else the release's."""
    played_ids = {name: name for name in recording.tests if not name.startswith(PRESENT)}
    if form == "present":
        played_ids |= {name.removeprefix(PRESENT): name for name in recording.tests if name.startswith(PRESENT)}
    return played_ids


def _failure(recording: Recording, played_ids: Mapping[str, str], test: str) -> str | None:
    """Return why a test failed. It also fails if a test on which it depends failed."""
    failure = recording.verdicts[played_ids[test]]
    if failure:
        return failure
    dependencies = recording.tests[played_ids[test]].depends_on
    return next((f"it depends on {each}" for each in dependencies if _failure(recording, played_ids, each)), None)


def scores(recording: Recording, form: Form) -> tuple[Counter[str], Counter[str]]:
    """Return how many tests of each kind passed, and how many there are."""
    found = verdicts(recording, form).values()
    return Counter(each.kind for each in found if not each.failure), Counter(each.kind for each in found)


def deviations(recording: Recording) -> dict[str, str]:
    """Return the tests with an unexpected result, by played id: why the test failed, or that it passed."""
    found = {}
    # the present form comes last: it counts for a test that both forms have
    for form in FORMS:
        listed = expected_failures(form)
        for test, verdict in verdicts(recording, form).items():
            found[verdict.played_id] = _deviation(verdict, listed.get(test))
    return {name: deviation for name, deviation in found.items() if deviation}


def _deviation(verdict: Verdict, listed: Failure | None) -> str | None:
    if verdict.failure:
        return None if listed else verdict.failure
    return f"passed, although it is listed as a failure: {listed.reason}" if listed else None
