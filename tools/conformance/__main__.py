"""`make conformance`: the public suite with both answers, the law of 203 over it, and the page that says so."""

from __future__ import annotations

import sys
from collections import Counter

from tools.conformance import report
from tools.conformance.law import breaches
from tools.conformance.recording import Recording
from tools.conformance.run import Answer, play
from tools.conformance.suite import Missing
from tools.conformance.verdicts import FORMS, deviations, scores

ANSWERS: tuple[Answer, ...] = ("origin", "always")


def main() -> int:
    """Run it all and say what came of it; return 1 if anything is not as it was to be."""
    try:
        recordings = {answer: _twice(answer) for answer in ANSWERS}
    except Missing as missing:
        print(f"conformance: {missing}", file=sys.stderr)
        return 1
    wrong = [one for answer, recording in recordings.items() for one in _wrong(answer, recording)]
    if not wrong:
        wrong = _page(report.text(recordings))
    for one in wrong:
        print(f"conformance: {one}", file=sys.stderr)
    return bool(wrong)


def _twice(answer: Answer) -> Recording:
    """Run the suite, and once more what deviates: a busy machine may have been too slow for it."""
    recording = play(answer)
    if deviating := deviations(recording):
        print(f"{answer}: once more alone: {', '.join(deviating)}", flush=True)
        recording = recording.follow(play(answer, deviating))
    return recording


def _wrong(answer: Answer, recording: Recording) -> list[str]:
    """Return what went wrong in a run, and print what it came to."""
    for form in FORMS:
        passed, every = scores(recording, form)
        print(
            f"{answer}, {form} form: {', '.join(f'{passed[kind]} of {every[kind]} {kind}' for kind in sorted(every))}"
        )
    broken, counted = breaches(recording, answer)
    print(f"{answer}, law of 203: {_counts(counted)}; {len(broken)} exceptions", flush=True)
    return [f"{answer}: {test}: {said}" for test, said in deviations(recording).items()] + [
        f"{answer}: the law of 203 was broken by {one}" for one in broken
    ]


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counted.items()))


def _page(text: str) -> list[str]:
    """Write the page; one that was different is not what this run gave."""
    if report.FILE.exists() and report.FILE.read_text() == text:
        return []
    report.FILE.write_text(text)
    return [f"{report.FILE.name} said otherwise and is now written anew: look at the difference and commit it"]


if __name__ == "__main__":
    sys.exit(main())
