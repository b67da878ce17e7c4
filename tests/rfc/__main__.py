"""`make ledger`: the table to read. Each row with the conversations that show it; `ARGS="KEY-09 AUTH"` picks some."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests.lanes import script
from tests.rfc.every import CONVERSATIONS
from tests.rfc.ledger import ledger, listed, shown_by_tests


def table(wanted: Sequence[str] = ()) -> Iterator[str]:
    """Iterate over the lines of the table; `wanted` are ids, or areas like `KEY`; none means all."""
    tests, told = shown_by_tests(), set[str]()
    waiting = {row: group.why for group in listed() for row in group.rows}
    for name, row in ledger().items():
        if wanted and name not in wanted and name.partition("-")[0] not in wanted:
            continue
        yield from ("", f"{name}  {row.level}  {row.source}", row.rule)
        if name in waiting:
            yield f"    not held: {waiting[name]}"
        yield from (f"    shown by {test}" for test in tests.get(name, ()))
        for each in (each for each in CONVERSATIONS if name in each.rows):
            yield f"    {each.title}{' (above)' if each.title in told else ''}"
            if each.title not in told:
                told.add(each.title)
                yield from (f"        {line}" for line in lines(each))


def lines(conversation: script.Conversation) -> Iterator[str]:
    """Iterate over a conversation as people read it."""
    for name, value in conversation.settings.items():
        yield f"with {name} = {value}"
    if conversation.secure:
        yield "over https"
    yield from map(line, conversation.steps)


def line(step: script.Step) -> str:
    """Return one line of a conversation."""
    match step:
        case script.Ask():
            return _said(step.client, "asks", step.line, *step.fields, body=step.body)
        case script.Answer():
            ends = ("and is cut off",) if step.cut else ()
            return _said(step.client, "hears", step.status, *step.fields, *ends, body=step.body or "")
        case script.Origin():
            saw = f"the origin sees {'; '.join(step.saw)}, and" if step.saw else "the origin"
            return _said(saw, "says", step.status, *step.fields, step.then, body=step.body)
        case script.OriginOctets():
            return f"the origin sends {step.octets!r}"
        case script.OriginFails():
            return f"the origin is asked, and {'stays ' if step.how == 'silent' else ''}{step.how}"
        case script.OriginGoesOn():
            return _said("the origin", "goes on", step.then, body=step.body)
        case script.Later():
            return f"{step.seconds:g} seconds pass"
        case script.ClockSetBack():
            return f"the clock is set back by {step.seconds:g} seconds"
        case script.Leave():
            return f"{step.client} leaves"
        case script.Purge():
            return f"the operator purges {step.path}"
        case script.Counts():
            return f"counted: {step.counter}, {step.by}"
    return {
        script.OriginGone: "nobody listens at the origin any more",
        script.OriginBack: "the origin listens again",
        script.Waits: "everybody waits",
        script.NoClock: "the machine loses its clock",
        script.Offline: "the proxy is taken offline",
    }[type(step)]


def _said(who: str, verb: str, *parts: str, body: str = "") -> str:
    content = [repr(body if len(body) <= 40 else f"{body[:36]}...")] if body else []
    return f"{who} {verb} {'; '.join([*filter(None, parts), *content])}"


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1:])))
