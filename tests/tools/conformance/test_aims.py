"""The lists agree: each test that is not to pass has one reason, and no test that is to pass has any."""

from __future__ import annotations

from collections import Counter

from tools.conformance.aims import Aim, aims, expected, failures
from tools.conformance.recording import Case, Recording
from tools.conformance.verdicts import PRESENT, deviations, scores


def test_as_many_tests_as_a_proxy_runs() -> None:
    assert Counter(aim.kind for aim in aims().values()) == {"required": 160, "optimal": 105, "check": 100}


def test_only_what_is_not_to_pass_may_fail() -> None:
    assert expected("present").keys() == {test for test, aim in aims().items() if not aim.passes}


def test_no_test_fails_for_two_reasons() -> None:
    listed = Counter((group.form, test) for group in failures() for test in group.tests)
    assert set(listed.values()) == {1}


def _recording() -> Recording:
    """Everything as it is to be; each test of the release that is listed has a form of ours as well."""
    recording = Recording()
    for test, aim in aims().items():
        _add(recording, test, aim, fails=test in expected("present"))
    for test in expected("release"):
        aim = aims().get(test, Aim("check", passes=False))
        _add(recording, test, aim, fails=True)
        if test in aims():
            _add(recording, PRESENT + test, aim, fails=test in expected("present"))
    return recording


def _add(recording: Recording, name: str, aim: Aim, *, fails: bool) -> None:
    recording.tests[name] = Case(aim.kind, ())
    recording.verdicts[name] = "Assertion: it fails" if fails else None


def test_a_run_that_goes_as_it_is_to_deviates_nowhere() -> None:
    recording = _recording()
    assert deviations(recording) == {}
    passed, _ = scores(recording, "present")
    assert (passed["required"], passed["optimal"]) == (159, 97)


def test_an_unexpected_failure_and_an_unexpected_pass_are_deviations() -> None:
    recording = _recording()
    recording.verdicts["freshness-max-age"] = "Assertion: it fails"
    recording.verdicts["stale-503"] = None
    assert deviations(recording).keys() == {"freshness-max-age", "stale-503"}


def test_a_test_that_builds_on_a_failed_one_has_failed() -> None:
    recording = _recording()
    recording.tests["freshness-max-age-stale"] = Case("required", ("freshness-max-age",))
    recording.verdicts["freshness-max-age"] = "Assertion: it fails"
    assert deviations(recording)["freshness-max-age-stale"] == "it builds on freshness-max-age"


def test_each_form_of_a_test_has_its_own_verdict() -> None:
    recording = _recording()
    recording.verdicts["age-parse-float"] = None
    recording.verdicts[PRESENT + "age-parse-negative"] = "Assertion: it fails"
    assert deviations(recording).keys() == {"age-parse-float", PRESENT + "age-parse-negative"}
