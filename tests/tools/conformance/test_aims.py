"""The lists agree: every test that is expected to fail has exactly one reason, and no other test has a reason."""

from __future__ import annotations

from collections import Counter

from tools.conformance.aims import ExpectedResult, expected_failures, expected_results, failures
from tools.conformance.recording import Recording, SuiteTest
from tools.conformance.verdicts import PRESENT, deviations, scores


def test_the_list_has_all_tests_for_a_proxy() -> None:
    assert Counter(each.kind for each in expected_results().values()) == {"required": 160, "optimal": 105, "check": 100}


def test_every_test_that_is_expected_to_fail_has_a_reason() -> None:
    assert expected_failures("present").keys() == {test for test, each in expected_results().items() if not each.passes}


def test_no_test_has_two_reasons() -> None:
    reasons = Counter((group.form, test) for group in failures() for test in group.tests)
    assert set(reasons.values()) == {1}


def _recording() -> Recording:
    """Return a run with all results as expected; each listed test of the release also has a present form of our own."""
    recording = Recording()
    for test, expected in expected_results().items():
        _add(recording, test, expected, fails=test in expected_failures("present"))
    for test in expected_failures("release"):
        expected = expected_results().get(test, ExpectedResult("check", passes=False))
        _add(recording, test, expected, fails=True)
        if test in expected_results():
            _add(recording, PRESENT + test, expected, fails=test in expected_failures("present"))
    return recording


def _add(recording: Recording, name: str, expected: ExpectedResult, *, fails: bool) -> None:
    recording.tests[name] = SuiteTest(expected.kind, ())
    recording.verdicts[name] = "Assertion: it fails" if fails else None


def test_a_run_with_all_results_as_expected_has_no_deviations() -> None:
    recording = _recording()
    assert deviations(recording) == {}
    passed, _ = scores(recording, "present")
    assert (passed["required"], passed["optimal"]) == (159, 97)


def test_an_unexpected_failure_and_an_unexpected_pass_are_deviations() -> None:
    recording = _recording()
    recording.verdicts["freshness-max-age"] = "Assertion: it fails"
    recording.verdicts["stale-503"] = None
    assert deviations(recording).keys() == {"freshness-max-age", "stale-503"}


def test_a_test_that_depends_on_a_failed_test_fails() -> None:
    recording = _recording()
    recording.tests["freshness-max-age-stale"] = SuiteTest("required", ("freshness-max-age",))
    recording.verdicts["freshness-max-age"] = "Assertion: it fails"
    assert deviations(recording)["freshness-max-age-stale"] == "it depends on freshness-max-age"


def test_each_form_of_a_test_has_its_own_verdict() -> None:
    recording = _recording()
    recording.verdicts["age-parse-float"] = None
    recording.verdicts[PRESENT + "age-parse-negative"] = "Assertion: it fails"
    assert deviations(recording).keys() == {"age-parse-float", PRESENT + "age-parse-negative"}
