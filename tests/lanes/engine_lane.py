"""The engine alone: pure functions, a store in memory, arithmetic for a clock, and no socket anywhere."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Literal, NoReturn

from addon.pipeline.scrubbing_writer import ScrubbingWriter
from cache import engine
from cache.answer.responses import CopyResponse
from cache.engine.decisions import (
    Change,
    Complete,
    Delete,
    Freshen,
    Invalidate,
    InvalidateGroups,
    Refuse,
    Relay,
    Retry,
    Serve,
    Store,
    Update,
    UpstreamRequest,
)
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.groups import groups
from cache.rules.key import keys, primary_key
from cache.rules.stored_parts import StoredContent
from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry
from cache.stores.memory import MemoryStore
from tests.lanes.messages import Asked, Heard, Reply, Seen
from tests.lanes.script import Conversation, Then
from tests.lanes.settings import settings_for
from tests.lanes.time import Time

HOST, PORT = "127.0.0.1", 8000


@dataclass
class _Pending:
    """A request on its way to the origin; `client` is None for a validation in the background."""

    client: str | None
    request: Request
    sent: UpstreamRequest
    sent_at: float
    body: bytes


_DECIDED: dict[str, tuple[CachePolicy, int, int]] = {}
"""By settings: to read them takes longer than most conversations."""


def _decided(conversation: Conversation) -> tuple[CachePolicy, int, int]:
    """Return the policy, the size of the store and its captures that a conversation's settings lead to."""
    key = repr(conversation.settings)
    if key not in _DECIDED:
        settings = settings_for(conversation)
        _DECIDED[key] = settings.policy(), settings.store.max_size, settings.store.captures
    return _DECIDED[key]


class EngineLane:
    name = "engine"

    @asynccontextmanager
    async def stage(self, conversation: Conversation) -> AsyncIterator[EngineStage]:
        yield EngineStage(conversation)


class EngineStage:
    def __init__(self, conversation: Conversation) -> None:
        self.time = Time()
        self.authority = f"{HOST}:{PORT}"
        self.instance = "engine"
        self.scheme = "https" if conversation.secure else "http"
        policy, *kept = _decided(conversation)
        self._policy = replace(
            policy,
            identity=replace(policy.identity, instance=self.instance),
            keying=replace(policy.keying, credential_key=bytes(32)),
        )
        self._store = MemoryStore(*kept)
        self._ids = (f"{number:032x}" for number in count())
        self._at_origin: deque[_Pending] = deque()
        self._current: _Pending | None = None
        self._heard: dict[str, Heard] = {}
        self._gone = False
        self._counted: Counter[str] = Counter()

    # ---- clients

    async def ask(self, client: str, asked: Asked) -> None:
        request = Request(
            asked.method, self.scheme, HOST, PORT, asked.target, asked.fields, has_content=bool(asked.body)
        )
        candidates = [
            entry for key in keys(primary_key(request), self._policy) for entry in self._store.candidates(key)
        ]
        decision = engine.on_request(request, candidates, self._policy, self.time.now())
        match decision:
            case Serve():
                self._answer_from_copy(client, decision.response)
                if decision.background_validation:
                    self._go_forward(None, decision.background_validation.request, decision.background_validation)
            case Refuse():
                self._refuse(client, decision)
            case UpstreamRequest():
                self._go_forward(client, request, decision, asked.body)

    async def heard(self, client: str) -> Heard:
        assert client in self._heard, "the origin is asked, which no line says"
        return self._heard.pop(client)

    async def leave(self, client: str) -> NoReturn:
        raise NotImplementedError

    async def waits(self) -> None:
        """Do nothing: every request is as far as it can get at once."""

    # ---- the origin

    def _go_forward(self, client: str | None, request: Request, sent: UpstreamRequest, body: bytes = b"") -> None:
        pending = _Pending(client, request, sent, self.time.now(), body)
        if self._gone:
            self._without_answer(pending, "connection_refused", "refused the connection", disconnected=True)
        else:
            self._at_origin.append(pending)

    @property
    def origin_is_asked(self) -> bool:
        return bool(self._at_origin)

    async def seen(self) -> Seen:
        assert self._at_origin, "the origin is not asked"
        self._current = self._at_origin.popleft()
        request = self._current.sent.request
        fields = Fields((("Host", request.authority), *request.fields.without(["host"])))
        return Seen(request.method, request.target, fields, self._current.body)

    async def send(self, reply: Reply) -> None:
        pending = self._current
        assert pending is not None
        # what belongs to framing is the origin client's business; here the body is whole
        head = Response(reply.status, reply.reason, reply.fields)
        received = Received(head, pending.sent_at, self.time.now())
        outcome = engine.on_response(pending.request, pending.sent, received, self._policy, next(self._ids))
        match outcome:
            case Store():
                self._apply(outcome.changes)
                self._keep(outcome, reply.body if outcome.response.has_content else b"")
                self._relay(pending.client, outcome, reply)
            case Complete():
                self._keep(outcome, reply.body)
                (part,) = [each for each in self._store.candidates(outcome.entry.key) if each.id == outcome.entry.id]
                whole = engine.response_from_parts(pending.request, pending.sent, part, self._policy, self.time.now())
                self._answer_from_copy(pending.client, whole.response)
            case Relay():
                self._apply(outcome.changes)
                self._relay(pending.client, outcome, reply)
            case Retry():
                self._apply(outcome.changes)
                self._go_forward(pending.client, pending.request, outcome.upstream_request)
            case Freshen() | Serve():
                try:
                    self._answer_from_copy(pending.client, outcome.response)
                except DamagedEntry:  # somebody else's answer has taken its place meanwhile
                    self._go_forward(pending.client, pending.request, engine.without_copies(pending.sent))
                    return
                self._apply(outcome.changes)
            case Refuse():
                self._apply(outcome.changes)
                self._refuse(pending.client, outcome)

    def _keep(self, outcome: Store | Complete, octets: bytes) -> None:
        secrets = outcome.secrets if isinstance(outcome, Store) else ()
        writer = ScrubbingWriter(self._store, secrets) if secrets else self._store.writer()
        writer.write(octets)
        writer.commit(outcome.entry, outcome.replaces)

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        assert self._current is not None
        error = "connection_read_timeout" if how == "silent" else "connection_terminated"
        self._without_answer(self._current, error, "gave no answer", disconnected=True)

    def _without_answer(self, pending: _Pending, error: str, what: str, *, disconnected: bool) -> None:
        sentence = f"{self.authority} {what}"
        outcome = engine.on_failure(
            pending.request,
            pending.sent,
            self._policy,
            self.time.now(),
            error=error,
            sentence=sentence,
            disconnected=disconnected,
        )
        if isinstance(outcome, Serve):
            self._answer_from_copy(pending.client, outcome.response)
        else:
            self._refuse(pending.client, outcome)
        self._apply(outcome.changes)

    async def send_octets(self, octets: bytes, then: Then) -> NoReturn:
        raise NotImplementedError

    async def go_on(self, body: bytes, then: Then) -> NoReturn:
        raise NotImplementedError

    async def origin_goes(self) -> None:
        self._gone = True

    async def origin_returns(self) -> None:
        self._gone = False

    # ---- what follows

    def _apply(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            match change:
                case Update(entry):
                    self._store.update(entry)
                case Invalidate(key):
                    self._store.invalidate(key)
                case InvalidateGroups(origin, names):
                    self._store.invalidate_where(origin, partial(_is_in_one_of, names))
                case Delete(entry):
                    self._store.delete(entry.key, [entry.id])

    def _answer_from_copy(self, client: str | None, answer: CopyResponse) -> None:
        self._hear(client, answer.head, b"".join(map(self._octets, answer.content)))

    def _octets(self, piece: StoredContent | bytes) -> bytes:
        if isinstance(piece, bytes):
            return piece
        self._store.touch(piece.entry.id)
        return self._store.open(piece.entry).read(piece.start, piece.stop)

    def _relay(self, client: str | None, outcome: Store | Relay, reply: Reply) -> None:
        if isinstance(outcome, Relay) and outcome.not_stored:
            self._counted[f"not_stored.{outcome.not_stored}"] += 1
        self._hear(client, outcome.response.head, reply.body if outcome.response.has_content else b"")

    def _refuse(self, client: str | None, refuse: Refuse) -> None:
        self._counted[f"refused.{refuse.reason}"] += 1
        assert refuse.response.content.endswith(f"reason: {refuse.reason}\n".encode())
        self._hear(client, refuse.response.head, refuse.response.content)

    def _hear(self, client: str | None, head: Response, body: bytes) -> None:
        if client is not None:
            self._heard[client] = Heard(head.status, head.reason, head.fields, body)

    # ---- behind the scenes

    async def purge(self, path: str) -> None:
        for key in keys(primary_key(Request("GET", self.scheme, HOST, PORT, path)), self._policy):
            self._store.delete(key)

    def go_offline(self) -> None:
        self._policy = replace(self._policy, network=replace(self._policy.network, offline=True))

    def lose_clock(self) -> None:
        self._policy = replace(self._policy, freshness=replace(self._policy.freshness, clock_valid_from=math.inf))

    async def counted(self, counter: str, by: int) -> None:
        """Check what the engine gives reasons for; nothing else is counted here."""
        if counter.startswith(("not_stored.", "refused.")):
            assert self._counted[counter] == by, f"{counter} has risen by {self._counted[counter]}"

    def stored(self) -> tuple[StoredResponse, ...]:
        return tuple(self._store.entries())


def _is_in_one_of(names: frozenset[str], entry: StoredResponse) -> bool:
    return not names.isdisjoint(groups(entry.head.fields))
