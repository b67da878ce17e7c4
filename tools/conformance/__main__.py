"""`make conformance`: run the public suite with both values of `answer.status`, check the results, write the page."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tools.conformance import report
from tools.conformance.recording import Recording
from tools.conformance.rule_203 import violations
from tools.conformance.run import AnswerStatus, run_suite
from tools.conformance.suite import SuiteUnavailable
from tools.conformance.verdicts import FORMS, deviations, scores

ANSWERS: tuple[AnswerStatus, ...] = ("origin", "always")


def main() -> int:
    """Run the suite, print the results and write the page. Return 1 if a result or the page is unexpected."""
    parser = argparse.ArgumentParser(prog="python -m tools.conformance", description=__doc__)
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="the proxy's worker processes")
    workers = parser.parse_args().workers
    try:
        recordings = {answer: _run(answer, workers) for answer in ANSWERS}
    except SuiteUnavailable as unavailable:
        print(f"conformance: {unavailable}", file=sys.stderr)
        return 1
    problems = [problem for answer, recording in recordings.items() for problem in _check(answer, recording)]
    if not problems:
        problems = _write_page(report.text(recordings))
    for problem in problems:
        print(f"conformance: {problem}", file=sys.stderr)
    return bool(problems)


def _run(answer: AnswerStatus, workers: int) -> Recording:
    """Run the suite, and repeat the tests that deviate: a busy machine may have been too slow for them."""
    recording = run_suite(answer, workers=workers)
    if deviating := deviations(recording):
        print(f"{answer}: repeated alone: {', '.join(deviating)}", flush=True)
        recording = recording.merge(run_suite(answer, deviating, workers=workers))
    return recording


def _check(answer: AnswerStatus, recording: Recording) -> list[str]:
    """Print the scores of a run, and return its problems."""
    for form in FORMS:
        passed, total = scores(recording, form)
        print(
            f"{answer}, {form} form: {', '.join(f'{passed[kind]} of {total[kind]} {kind}' for kind in sorted(total))}"
        )
    violating, counts = violations(recording, answer)
    print(f"{answer}, 203 rule: {_listed(counts)}; {len(violating)} violations", flush=True)
    return [f"{answer}: {test}: {deviation}" for test, deviation in deviations(recording).items()] + [
        f"{answer}: violates the 203 rule: {violation}" for violation in violating
    ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))


def _write_page(text: str) -> list[str]:
    """Write the page; return a problem if it was different."""
    if report.FILE.exists() and report.FILE.read_text() == text:
        return []
    report.FILE.write_text(text)
    return [f"{report.FILE.name} was not up to date. It has been rewritten: check the difference and commit it"]


if __name__ == "__main__":
    sys.exit(main())
