"""docs/conformance.md, made of what a run gave: the same run gives the same text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence

from tests.rfc.ledger import TESTS, ledger, listed
from tools.conformance.aims import HERE, Failure, Form, aims, failures
from tools.conformance.recording import Recording
from tools.conformance.run import Answer
from tools.conformance.suite import PACKAGE, RELEASE
from tools.conformance.verdicts import PRESENT, scores

FILE = HERE.parent.parent / "docs" / "conformance.md"
KINDS = ("required", "optimal")
REASON = ("tests", "row", "why")

TEXT = """\
# Conformance

How secondhand does in the public suite of tests for HTTP caches, {package}, beside the caches whose results are
published there. `make conformance` runs it all, checks it against the lists below and writes this page.

{others}

Required: what RFC 9111 and its relatives demand. Optimal: what they allow and a good cache does. The figures of the
others are the suite's published results (its repository in July 2026, measured late in 2025), each verdict by the
suite's own rules; nothing was measured anew. They are of its present form, which has {tests} tests for a proxy. The
others of these are questions, {questions}; we answer {yes} with yes, which is an observation and not a merit.

## How it is counted

The suite runs against `secondhand serve --edge` with a new store: once with `answer.status = "origin"`, once with
`"always"`. It takes any status but the one it waits for as a fault of its own setup, so in the second run it is shown
200 where it got a 203, unless its own origin said 203.

npm has it in release {release}, which is older than its present form. What is new or different since, {written} tests,
is in `tools/conformance/present_form`, in our own words; all others are the release's. Ours are therefore not figures
of the suite's present files, but of the same tests by the same engine. A test counts as passed only if those passed
that it builds on. The release alone comes to:

{of_the_release}

A test that goes otherwise than the lists below say is run once more alone. If it does so again, the run has failed:
a test that passes and should not is a fault of the list.

## The law of 203

Each exchange of both runs is recorded on both sides of the proxy, and whether an answer came from the copy is read from
what the origin was asked, never from what the proxy says. The run fails unless, without exception:

- with `always`, what came from the copy of a 200 was a 203, or the 304, 206 or 416 that the client itself asked for;
- with `origin`, it was a 200 instead, and there was no 203 but the origin's own;
- what came from the copy of any other status kept that status;
- what was relayed kept the status that the origin had just sent.

## What is not held, and why

The rules of this cache are written down one by one, 288 of them, in `tests/rfc/ledger.toml`; `make ledger` prints them
with the conversations that show each. A test fails where one has neither a conversation nor a line here.

{listed}

`make mutation` breaks these rules one at a time, in every small way: a condition negated, a part of it dropped, a
comparison shifted, a number off by one, another reason given, a field not removed. The conversations, played by the
engine alone, and the tests of `cache/` notice {noticed} of {of} such changes, {share:.0f} %. Under 85 % it fails.

## What is not passed, and why

{missed}

## Questions answered with no

{no}

## Where the release says otherwise

{old}
"""


def text(recordings: Mapping[Answer, Recording]) -> str:
    """Return the page."""
    of_the_release = [
        (f"`{answer}`", *(f"{passed[kind]} of {every[kind]}" for kind in KINDS))
        for answer, recording in recordings.items()
        for passed, every in [scores(recording, "release")]
    ]
    any_of_them = recordings["origin"]
    passed, every = scores(any_of_them, "present")
    return TEXT.format(
        package=PACKAGE,
        release=RELEASE,
        tests=len(aims()),
        questions=every["check"],
        yes=passed["check"],
        written=sum(name.startswith(PRESENT) for name in any_of_them.tests),
        others=_others(recordings),
        of_the_release=_table(("answer.status", *KINDS), of_the_release),
        listed=_listed(),
        **_mutation(),
        missed=_table(("kind", *REASON), [row for kind in KINDS for row in _reasons("present", kind)]),
        no=_table(REASON, [row[1:] for row in _reasons("present", "check")]),
        old=_table(REASON, [_reason(group, group.tests) for group in failures() if group.form == "release"]),
    )


def _mutation() -> dict[str, float]:
    """What the last whole run of `make mutation` came to."""
    figure = tomllib.loads((TESTS / "mutation" / "figure.toml").read_text())
    return {**figure, "share": 100 * figure["noticed"] / figure["of"]}


def _listed() -> str:
    """The requirements that are not held."""
    levels = {name: row.level for name, row in ledger().items()}
    rows = [
        (", ".join(f"`{row}`" for row in group.rows), ", ".join(sorted({levels[row] for row in group.rows})), group.why)
        for group in listed()
    ]
    return _table(("rows", "level", "why"), rows) if rows else "None."


def _others(recordings: Mapping[Answer, Recording]) -> str:
    """The scores in the present form, ours first."""
    ours = [
        (f"**secondhand**, `{answer}`", "", scores(recording, "present")) for answer, recording in recordings.items()
    ]
    every = ours[0][2][1]
    peers = tomllib.loads((HERE / "peers.toml").read_text())["peer"]
    return _table(
        ("cache", "version", *(f"{kind} of {every[kind]}" for kind in KINDS)),
        [(name, version, *(f"**{passed[kind]}**" for kind in KINDS)) for name, version, (passed, _) in ours]
        + [(peer["name"], peer["version"], *(str(peer[kind]) for kind in KINDS)) for peer in peers],
    )


def _reasons(form: Form, kind: str) -> list[tuple[str, ...]]:
    """The expected failures of a kind, and why."""
    kinds = aims()
    return [
        (kind, *_reason(group, tests))
        for group in failures()
        if group.form == form and (tests := [test for test in group.tests if kinds[test].kind == kind])
    ]


def _reason(group: Failure, tests: Iterable[str]) -> tuple[str, ...]:
    return ", ".join(f"`{test}`" for test in tests), group.row, group.reason


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])
