"""The control command `why`: explains what the running proxy would answer. Nothing is sent, counted or changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from addon.origin.reachability import Reachability
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.explanation import described
from addon.pipeline.not_stored_log import NotStoredLog, NotStoredNote
from addon.pipeline.responder import Trial
from cache.engine.decisions import Refuse, Serve, UpstreamRequest
from cache.engine.explain import Explanation, Step, explain_decision
from cache.engine.explain_failure import KnownFailure, decision_after
from cache.http.messages import Fields, Request
from cache.policy.private_cache import without_dropped_parameters
from cache.rules.key import ascii_uri, primary_key, request_for, target_uri
from cache.rules.site_requests import changed_request, effects_of
from cache.rules.stored_response import StoredResponse

_TRIAL = Step("trial", "its origin does not answer, and this request would try it again", "ours")


@dataclass(frozen=True, slots=True)
class Question:
    """A request that a client could send."""

    url: str
    method: str
    fields: Fields


Reader = Callable[[Question], Awaitable[Request | Explanation]]
"""Reads a request as it would be read from a client; an explanation if it would be refused before the cache is asked.

Raises ValueError if the URL is malformed.
"""


class WhyCommand:
    """Explains the answer to a request, by the pipeline that answers now.

    Attributes:
        read: Reads the request; a front end puts its own reader here.
    """

    def __init__(self, active: ActivePipeline) -> None:
        self.read: Reader = self._read
        self._active = active

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command: return the explanation. Raises ValueError for invalid arguments."""
        asked = await self.read(_question(arguments))
        if isinstance(asked, Explanation):
            return described(asked)
        pipeline = self._active.current
        request = without_dropped_parameters(asked, pipeline.policy.keying.query_rules)
        found = await pipeline.responder.stored(primary_key(request))
        explanation, note = self.explained(request, found)
        too_large = None
        if explanation.decision != "hit":
            too_large = await pipeline.fetcher.size_limit.too_large(target_uri(request))
        told = described(explanation, note, pipeline.fetcher.clock())
        return {**told, "too_large": too_large.sentence() if too_large else None}

    def explained(self, request: Request, found: Sequence[StoredResponse]) -> tuple[Explanation, NotStoredNote | None]:
        """Return the explanation for a request, and the last response to it if that was not stored.

        `found` are the stored responses under the keys of the request.
        """
        fetcher, responder = self._active.current.fetcher, self._active.current.responder
        policy, now = fetcher.policy, fetcher.clock()
        note = _note(fetcher.not_stored, request, found)
        failure = fetcher.reachability.latest_failure(request.origin)
        decision = responder.decide(request, found, turns=_NotedTurns(fetcher.reachability))
        expected = self._expected(request, decision)
        steps: tuple[Step, ...] = ()
        if isinstance(decision, Trial):
            decision, policy, steps = decision.sent, policy.leaving_none_alone(), (_TRIAL,)
        if failure is not None:
            steps = (*steps, _failed(failure, now))
        explanation = explain_decision(request, found, decision, policy, now, failure=failure, expected=expected)
        return replace(explanation, steps=explanation.steps + steps), note

    def _expected(self, request: Request, decision: Serve | UpstreamRequest | Refuse | Trial) -> Serve | Refuse | None:
        """Return the decision after the origin is asked in vain; None if it is not asked, or expected to answer."""
        fetcher, responder = self._active.current.fetcher, self._active.current.responder
        failure = fetcher.reachability.expected_failure(request)
        sent = decision.sent if isinstance(decision, Trial) else decision
        if failure is None or not isinstance(sent, UpstreamRequest):
            return None
        expected = decision_after(request, sent, fetcher.policy, fetcher.clock(), failure)
        if isinstance(decision, Trial) and isinstance(expected, Refuse):
            return responder.refusal_after_trial(request, expected.response.head.status) or expected
        return expected

    async def _read(self, question: Question) -> Request:
        policy = self._active.policy
        request = replace(request_for(ascii_uri(question.url), question.fields), method=question.method)
        return changed_request(request, effects_of(request, policy))


class _NotedTurns:
    """Says which requests would try an origin that is left alone, and takes no note of them."""

    def __init__(self, reachability: Reachability) -> None:
        self.may_try = reachability.is_turn
        self.may_try_as_well = reachability.is_admitted_as_well


def _failed(failure: KnownFailure, now: float) -> Step:
    ago = f"{max(0, int(now - failure.at))} s ago"
    return Step("origin", f"the latest exchange with it failed {ago}: {failure.sentence}", "RFC 9209 §2.3")


def _note(log: NotStoredLog, request: Request, found: Sequence[StoredResponse]) -> NotStoredNote | None:
    """Return the note of the last response; None if a later one, perhaps one that another process got, is stored."""
    note = log.find(request.method, primary_key(request))
    if note is None or any(entry.method == request.method and entry.response_time > note.at for entry in found):
        return None
    return note


def _question(arguments: Mapping[str, object]) -> Question:
    match dict(arguments):
        case {"url": str(url), "method": str(method), "fields": list(lines)}:
            return Question(url, method, Fields(tuple((str(name), str(value)) for name, value in lines)))
        case _:
            raise ValueError('expected "url", "method" and "fields"')
