"""`make ledger`: print each requirement with the conversations that show it; `ARGS="KEY-09 AUTH"` selects some."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests.lanes import script
from tests.rfc.all_conversations import CONVERSATIONS
from tests.rfc.ledger import ledger, listed, shown_by_tests


def table(wanted: Sequence[str] = ()) -> Iterator[str]:
    """Iterate over the lines of the table; `wanted` are ids, or areas like `KEY`; if empty, all are printed."""
    tests, printed = shown_by_tests(), set[str]()
    not_met = {row: group.why for group in listed() for row in group.rows}
    for name, row in ledger().items():
        if wanted and name not in wanted and name.partition("-")[0] not in wanted:
            continue
        yield from ("", f"{name}  {row.level}  {row.source}", row.rule)
        if name in not_met:
            yield f"    not met: {not_met[name]}"
        yield from (f"    shown by {test}" for test in tests.get(name, ()))
        for each in (each for each in CONVERSATIONS if name in each.rows):
            yield f"    {each.title}{' (above)' if each.title in printed else ''}"
            if each.title not in printed:
                printed.add(each.title)
                yield from (f"        {line}" for line in lines(each))


def lines(conversation: script.Conversation) -> Iterator[str]:
    """Iterate over the lines of a conversation in readable form."""
    for name, value in conversation.settings.items():
        yield f"with {name} = {value}"
    if conversation.secure:
        yield "over https"
    yield from map(line, conversation.steps)


def line(step: script.Step) -> str:
    """Return a step of a conversation as one readable line."""
    match step:
        case script.Ask():
            return _sentence(step.client, "sends", step.line, *step.fields, body=step.body)
        case script.Answer():
            end = ("and the connection is closed early",) if step.cut else ()
            return _sentence(step.client, "receives", step.status, *step.fields, *end, body=step.body or "")
        case script.Origin():
            subject = f"the origin receives {'; '.join(step.saw)}, and" if step.saw else "the origin"
            return _sentence(subject, "sends", step.status, *step.fields, step.then, body=step.body)
        case script.OriginBytes():
            return f"the origin sends {step.data!r}"
        case script.OriginFails():
            return f"the origin receives the request, and {'stays ' if step.how == 'silent' else ''}{step.how}"
        case script.OriginContinues():
            return _sentence("the origin", "continues", step.then, body=step.body)
        case script.Later():
            return f"{step.seconds:g} seconds pass"
        case script.ClockSet():
            return f"the clock is set by {step.seconds:+g} seconds, and believed after five seconds"
        case script.Disconnect():
            return f"{step.client} disconnects"
        case script.Purge():
            return f"the operator purges {step.path}{' softly' if step.soft else ''}"
        case script.Counts():
            return f"the counter {step.counter} has risen by {step.by}"
    return {
        script.OriginGone: "the origin refuses connections from now on",
        script.OriginBack: "the origin accepts connections again",
        script.AllRequestsWait: "every request waits for the origin",
        script.NoClock: "the clock of the machine is wrong from now on",
        script.Offline: "the proxy is taken offline",
    }[type(step)]


def _sentence(subject: str, verb: str, *parts: str, body: str = "") -> str:
    content = [repr(body if len(body) <= 40 else f"{body[:36]}...")] if body else []
    return f"{subject} {verb} {'; '.join([*filter(None, parts), *content])}"


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1:])))
