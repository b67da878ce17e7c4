"""Makes docs/conformance.md from the recordings of a run: the same results give the same text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence

from tests.rfc.ledger import ledger, listed
from tools.conformance.aims import HERE, Failure, Form, expected_results, failures
from tools.conformance.recording import Recording
from tools.conformance.run import AnswerStatus
from tools.conformance.suite import PACKAGE, RELEASE
from tools.conformance.verdicts import PRESENT, scores

MUTATION_FIGURE = HERE.parent / "mutation" / "figure.toml"
FILE = HERE.parent.parent / "docs" / "conformance.md"
KINDS = ("required", "optimal")
REASON_HEAD = ("tests", "ledger row", "reason")

TEXT = """\
# Conformance

Results of secondhand in the public suite of tests for HTTP caches, {package}, compared with the published
results of other caches. `make conformance` runs the suite, checks the results against the lists below and writes this
page.

{scores}

Required: RFC 9111 or a related RFC demands it. Optimal: such an RFC allows it, and a good cache does it. The figures of
the other caches are the suite's published results (its repository in July 2026, measured late in 2025), with verdicts
by the suite's own rules; none of them was measured again. All figures are for the suite's present form, its current
files, which have {tests} tests for a proxy. Apart from required and optimal tests, these contain {questions} questions
about the behaviour of a cache. secondhand answers {yes} of them with yes, which is neither good nor bad.

## Method

The suite runs against `secondhand serve --edge` with a new store: once with `answer.status = "origin"`, once with
`"always"`. The suite takes a status that it does not expect for a failure of its own setup. So in the second run it is
shown 200 where it received 203, unless its own origin sent 203.

Both runs have `cache.set_cookie = "store"`, because five tests demand that a cookie which one client was given is
repeated to the next one. The default, `"auto"`, does not do that: `headers-store-Set-Cookie`,
`headers-store-Set-Cookie2` (required) and `other-set-cookie` (optimal) then fail, and the answer to
`304-etag-update-response-Set-Cookie` and `304-etag-update-response-Set-Cookie2` is no. All other results are the same,
so with the default 157 required and 96 optimal tests pass.

They also have `cache.client_reload = "honour"`, because the suite asks whether a reload is honoured. An edge answers a
reload with a copy that is fresh, unless this key is set.

The latest release on npm is {release}, which is older than the suite's present form. {written} tests are new or
different in the present form; `tools/conformance/present_form` has them in our own words. All other tests are those of
the release. So our figures are not results of the suite's present files, but of the same tests, run by the same engine.
A test counts as passed only if the tests on which it depends passed, too. The results of the release alone:

{of_the_release}

A test with another result than the lists below say is repeated alone. If the result is the same again, the run fails.
That is also so for a test that is listed as a failure and passes: then the list is wrong.

## The 203 rule

Each exchange of both runs is recorded on both sides of the proxy. The requests that the origin received show whether a
response came from a copy; what the proxy says about it is not used. The run fails if any response violates one of these
rules:

- with `always`, a response from a copy of a 200 is a 203, or the 304, 206 or 416 that the client itself asked for;
- with `origin`, it is a 200 instead of a 203, and only the origin itself sends 203;
- a response from a copy of any other status has that status;
- a relayed response has the status that the origin sent in this exchange.

## Requirements that are not met

`tests/rfc/ledger.toml` lists the requirements of this cache; `make ledger` prints each of them with the
conversations that show it. `tests/rfc/test_ledger.py` fails if a requirement has neither a conversation nor an entry
here.

{listed}

`make mutation` changes the rules of the cache, one small step at a time: it negates a condition, drops a part of it,
changes a comparison or a number by one, gives another reason, or does not remove a field. The conversations, played by
the engine alone, and the tests of `cache/` notice {noticed} of {of} such changes, {share:.0f} %. `make mutation` fails
below 85 %.

## Lanes

Requests reach the cache in several ways, and mitmproxy's code does not allow in each of them what our own code does.
"mitmproxy in `serve`" is `serve` with `--script`, `--mode` or `--no-door`. An empty cell: the property does not apply.

{lanes}

## Tests that fail

"Ledger row" is the requirement in `tests/rfc/ledger.toml` on which the reason rests.

{missed}

## Questions answered with no

{no}

## Different expectations in the release

In these tests, the release expects something else than the suite's present form.

{old}
"""


def text(recordings: Mapping[AnswerStatus, Recording]) -> str:
    """Return the page."""
    of_the_release = [
        (f"`{answer}`", *(f"{passed[kind]} of {total[kind]}" for kind in KINDS))
        for answer, recording in recordings.items()
        for passed, total in [scores(recording, "release")]
    ]
    recording = recordings["origin"]
    passed, total = scores(recording, "present")
    return TEXT.format(
        package=PACKAGE,
        release=RELEASE,
        tests=len(expected_results()),
        questions=total["check"],
        yes=passed["check"],
        written=sum(name.startswith(PRESENT) for name in recording.tests),
        scores=_scores(recordings),
        of_the_release=_table(("answer.status", *KINDS), of_the_release),
        listed=_listed(),
        lanes=lanes(),
        **_mutation(),
        missed=_table(("kind", *REASON_HEAD), [row for kind in KINDS for row in _reason_rows("present", kind)]),
        no=_table(REASON_HEAD, [row[1:] for row in _reason_rows("present", "check")]),
        old=_table(REASON_HEAD, [_reason_cells(group, group.tests) for group in failures() if group.form == "release"]),
    )


def _mutation() -> dict[str, float]:
    """Return the result of the last complete run of `make mutation`, with the share in per cent."""
    figure = tomllib.loads(MUTATION_FIGURE.read_text())
    return {**figure, "share": 100 * figure["noticed"] / figure["of"]}


def lanes() -> str:
    """Return the table of what holds in each lane."""
    known = tomllib.loads((HERE / "lanes.toml").read_text())
    return _table(("property", *known["lanes"]), [(row["property"], *row["cells"]) for row in known["row"]])


def _listed() -> str:
    """Return the table of the requirements that are not met."""
    levels = {name: row.level for name, row in ledger().items()}
    rows = [
        (", ".join(f"`{row}`" for row in group.rows), ", ".join(sorted({levels[row] for row in group.rows})), group.why)
        for group in listed()
    ]
    return _table(("ledger rows", "level", "reason"), rows) if rows else "None."


def _scores(recordings: Mapping[AnswerStatus, Recording]) -> str:
    """Return the table of scores in the present form, ours first."""
    ours = [
        (f"**secondhand**, `{answer}`", "", scores(recording, "present")) for answer, recording in recordings.items()
    ]
    total = ours[0][2][1]
    peers = tomllib.loads((HERE / "peers.toml").read_text())["peer"]
    return _table(
        ("cache", "version", *(f"{kind} of {total[kind]}" for kind in KINDS)),
        [(name, version, *(f"**{passed[kind]}**" for kind in KINDS)) for name, version, (passed, _) in ours]
        + [(peer["name"], peer["version"], *(str(peer[kind]) for kind in KINDS)) for peer in peers],
    )


def _reason_rows(form: Form, kind: str) -> list[tuple[str, ...]]:
    """Return the expected failures of a kind, one row for each reason."""
    results = expected_results()
    return [
        (kind, *_reason_cells(group, tests))
        for group in failures()
        if group.form == form and (tests := [test for test in group.tests if results[test].kind == kind])
    ]


def _reason_cells(group: Failure, tests: Iterable[str]) -> tuple[str, ...]:
    return ", ".join(f"`{test}`" for test in tests), group.row, group.reason


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])
