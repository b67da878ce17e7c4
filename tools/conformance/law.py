"""The law of 203 over a recorded run: what comes from the copy of a 200 says so, what is relayed says nothing else.

Whether an answer came from the copy is read from the origin's log: the origin was not asked in this exchange, or it
said 304, or it said something else than the client got. Nothing that the proxy says of itself is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.conformance.recording import Contact, Exchange, Recording
from tools.conformance.run import Answer

CONDITIONS = {"if-none-match", "if-modified-since"}
OWN_ERRORS = {400, 502, 504}
"""What a proxy may say for itself: an answer that has neither the origin's fields nor its content."""


@dataclass(frozen=True)
class Judgement:
    """What an answer was, and the statuses that it could have had as such."""

    source: str
    lawful: frozenset[int]


def judge(exchange: Exchange, conversation: Sequence[Contact], answer: Answer) -> Judgement:
    """Return what the answer of an exchange was, from what the origin was asked in the same conversation."""
    asked = [one for one in conversation if _asks_for(one, exchange)]
    said = next((one for one in reversed(asked) if one.status is not None), None)
    conditional = CONDITIONS & exchange.fields.keys()
    if said and said.status == 304 and exchange.status == 304:
        return Judgement("relayed", frozenset({304} if conditional else ()))
    if said and said.status is not None and said.status != 304 and said.count == exchange.count:
        return Judgement("relayed", frozenset({said.status}))
    if exchange.count is not None:
        return Judgement("copy", _of_a_copy(_stored(exchange, conversation), exchange, answer))
    if exchange.status in (304, 416):
        return Judgement("copy", _by_own_fields(exchange))
    return Judgement("own error", frozenset(OWN_ERRORS))


def _asks_for(contact: Contact, exchange: Exchange) -> bool:
    """The suite numbers its requests; the cache's own, in the background, may have no number."""
    return (contact.method, contact.fields.get("req-num")) == (exchange.method, exchange.fields.get("req-num"))


def _stored(exchange: Exchange, conversation: Sequence[Contact]) -> int:
    """Return the status that a copy was stored with: a 304 or the answer to a HEAD may have updated it since."""
    updated = next(one for one in conversation if one.count == exchange.count)
    return next(
        one.status
        for one in reversed(conversation[: conversation.index(updated) + 1])
        if one.target == updated.target and one.method != "HEAD" and one.status not in (None, 304)
    )


def _of_a_copy(stored: int, exchange: Exchange, answer: Answer) -> frozenset[int]:
    # 206 was stored as a piece of a 200 (RFC 9111 §3.3)
    whole = 200 if stored == 206 else stored
    if whole == 200:
        return frozenset({203 if answer == "always" else 200}) | _by_own_fields(exchange)
    # RFC 9110 §13.2.1: a condition counts where the answer without it would be a 2xx
    return frozenset({whole}) | (_by_own_fields(exchange) & {304} if 200 <= whole < 300 else frozenset())


def _by_own_fields(exchange: Exchange) -> frozenset[int]:
    """Return the statuses that the client asked for itself."""
    conditional = {304} if CONDITIONS & exchange.fields.keys() else set()
    ranged = {206, 416} if "range" in exchange.fields else set()
    return frozenset(conditional | ranged)


def breaches(recording: Recording, answer: Answer) -> tuple[list[str], Counter[str]]:
    """Return each answer that broke the law, in words, and how many there were of each kind."""
    found, counted = [], Counter[str]()
    for exchange in recording.exchanges:
        judgement = judge(exchange, recording.conversation(exchange), answer)
        if exchange.status not in judgement.lawful:
            found.append(f"{exchange}, {judgement.source}: expected {_either(judgement.lawful)}")
        counted[_kind(judgement, exchange)] += 1
    return found, counted


def _kind(judgement: Judgement, exchange: Exchange) -> str:
    return judgement.source if judgement.source != "copy" else f"{exchange.status} from a copy"


def _either(statuses: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(statuses))) or "anything but this"
