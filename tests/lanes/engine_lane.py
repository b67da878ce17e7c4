"""The lane of the engine: pure functions, a store in memory and a manual clock, without sockets."""

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
from cache.rules.forwarded_fields import forwarded_fields
from cache.rules.groups import groups
from cache.rules.key import keys, primary_key
from cache.rules.stored_parts import StoredContent
from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry
from cache.stores.memory import MemoryStore
from cache.stores.purge_scopes import Scope, url_name
from tests.lanes.manual_clock import ManualClock
from tests.lanes.messages import ClientRequest, ClientResponse, OriginRequest, OriginResponse
from tests.lanes.script import Conversation, Then
from tests.lanes.settings import settings_for

HOST, PORT = "127.0.0.1", 8000


@dataclass
class _Pending:
    """A request on its way to the origin. `client` is None for a background revalidation."""

    client: str | None
    request: Request
    sent: UpstreamRequest
    sent_at: float
    body: bytes


_POLICIES: dict[str, tuple[CachePolicy, int, int]] = {}
"""Results of `_policy_of`, by settings: reading settings takes longer than most conversations."""


def _policy_of(conversation: Conversation) -> tuple[CachePolicy, int, int]:
    """Return the policy, the size of the store in bytes, and its number of captures for a conversation."""
    key = repr(conversation.settings)
    if key not in _POLICIES:
        settings = settings_for(conversation)
        _POLICIES[key] = settings.policy(), settings.store.max_size, settings.store.captures
    return _POLICIES[key]


class EngineLane:
    name = "engine"

    @asynccontextmanager
    async def open(self, conversation: Conversation) -> AsyncIterator[EngineUnderTest]:
        yield EngineUnderTest(conversation)


class EngineUnderTest:
    def __init__(self, conversation: Conversation) -> None:
        self.clock = ManualClock()
        self.authority = f"{HOST}:{PORT}"
        self.instance = "engine"
        self.scheme = "https" if conversation.secure else "http"
        policy, *store_options = _policy_of(conversation)
        self._policy = replace(
            policy,
            identity=replace(policy.identity, instance=self.instance),
            keying=replace(policy.keying, credential_key=bytes(32)),
            freshness=replace(policy.freshness, clock=self.clock.setting),
        )
        self._store = MemoryStore(*store_options)
        self._ids = (f"{number:032x}" for number in count())
        self._at_origin: deque[_Pending] = deque()
        self._current: _Pending | None = None
        self._responses: dict[str, ClientResponse] = {}
        self._origin_is_gone = False
        self._counters: Counter[str] = Counter()

    # ---- clients

    async def send_request(self, client: str, request: ClientRequest) -> None:
        target, fields, has_content = request.target, request.fields, bool(request.body)
        head = Request(request.method, self.scheme, HOST, PORT, target=target, fields=fields, has_content=has_content)
        candidates = [entry for key in keys(primary_key(head), self._policy) for entry in self._store.candidates(key)]
        decision = engine.on_request(head, candidates, self._policy, self.clock.now())
        match decision:
            case Serve():
                self._respond_from_copy(client, decision.response)
                if decision.background_validation:
                    self._forward(None, decision.background_validation.request, decision.background_validation)
            case Refuse():
                self._refuse(client, decision)
            case UpstreamRequest():
                self._forward(client, head, decision, request.body)

    async def receive_response(self, client: str) -> ClientResponse:
        assert client in self._responses, "the origin receives a request for which there is no step"
        return self._responses.pop(client)

    async def disconnect(self, client: str) -> NoReturn:
        raise NotImplementedError

    async def settle(self) -> None:
        """Do nothing: in this lane, every request is as far as it can get at once."""

    # ---- the origin

    def _forward(self, client: str | None, request: Request, sent: UpstreamRequest, body: bytes = b"") -> None:
        pending = _Pending(client, request, sent, self.clock.now(), body)
        if self._origin_is_gone:
            self._fail(pending, "connection_refused", "refused the connection", disconnected=True)
        else:
            self._at_origin.append(pending)

    @property
    def origin_has_request(self) -> bool:
        return bool(self._at_origin)

    async def next_origin_request(self) -> OriginRequest:
        assert self._at_origin, "the origin receives no request"
        self._current = self._at_origin.popleft()
        request = self._current.sent.request
        sent = (*request.fields.without(["host"]), *forwarded_fields(request))
        fields = Fields((("Host", request.authority), *sent))
        return OriginRequest(request.method, request.target, fields, self._current.body)

    async def respond(self, response: OriginResponse) -> None:
        pending = self._current
        assert pending is not None
        # the origin client handles framing; the engine gets the whole body
        head = Response(response.status, response.reason, response.fields)
        received = Received(head, pending.sent_at, self.clock.now())
        outcome = engine.on_response(pending.request, pending.sent, received, self._policy, next(self._ids))
        match outcome:
            case Store():
                self._apply(outcome.changes)
                self._store_body(outcome, response.body if outcome.response.has_content else b"")
                self._relay(pending.client, outcome, response)
            case Complete():
                self._store_body(outcome, response.body)
                (part,) = [each for each in self._store.candidates(outcome.entry.key) if each.id == outcome.entry.id]
                now = self.clock.now()
                whole = engine.response_from_parts(pending.request, pending.sent, part, self._policy, now)
                self._respond_from_copy(pending.client, whole.response)
            case Relay():
                self._apply(outcome.changes)
                self._relay(pending.client, outcome, response)
            case Retry():
                self._apply(outcome.changes)
                self._forward(pending.client, pending.request, outcome.upstream_request)
            case Freshen() | Serve():
                try:
                    self._respond_from_copy(pending.client, outcome.response)
                except DamagedEntry:  # the response to another request has replaced the copy meanwhile
                    self._forward(pending.client, pending.request, engine.without_copies(pending.sent))
                    return
                self._apply(outcome.changes)
            case Refuse():
                self._apply(outcome.changes)
                self._refuse(pending.client, outcome)

    def _store_body(self, outcome: Store | Complete, body: bytes) -> None:
        secrets = outcome.secrets if isinstance(outcome, Store) else ()
        writer = ScrubbingWriter(self._store, secrets) if secrets else self._store.writer()
        writer.write(body)
        writer.commit(outcome.entry, outcome.replaces)

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        assert self._current is not None
        error = "connection_read_timeout" if how == "silent" else "connection_terminated"
        self._fail(self._current, error, "gave no answer", disconnected=True)

    def _fail(self, pending: _Pending, error: str, description: str, *, disconnected: bool) -> None:
        outcome = engine.on_failure(
            pending.request,
            pending.sent,
            self._policy,
            self.clock.now(),
            error=error,
            sentence=f"{self.authority} {description}",
            disconnected=disconnected,
        )
        if isinstance(outcome, Serve):
            self._respond_from_copy(pending.client, outcome.response)
        else:
            self._refuse(pending.client, outcome)
        self._apply(outcome.changes)

    async def respond_with_bytes(self, data: bytes, then: Then) -> NoReturn:
        raise NotImplementedError

    async def continue_response(self, body: bytes, then: Then) -> NoReturn:
        raise NotImplementedError

    async def stop_origin(self) -> None:
        self._origin_is_gone = True

    async def restart_origin(self) -> None:
        self._origin_is_gone = False

    # ---- outcomes

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

    def _respond_from_copy(self, client: str | None, response: CopyResponse) -> None:
        self._respond(client, response.head, b"".join(map(self._read, response.content)))

    def _read(self, piece: StoredContent | bytes) -> bytes:
        if isinstance(piece, bytes):
            return piece
        self._store.touch(piece.entry.id)
        return self._store.open(piece.entry).read(piece.start, piece.stop)

    def _relay(self, client: str | None, outcome: Store | Relay, response: OriginResponse) -> None:
        if isinstance(outcome, Relay) and outcome.not_stored:
            self._counters[f"not_stored.{outcome.not_stored}"] += 1
        self._respond(client, outcome.response.head, response.body if outcome.response.has_content else b"")

    def _refuse(self, client: str | None, refuse: Refuse) -> None:
        self._counters[f"refused.{refuse.reason}"] += 1
        assert refuse.response.content.endswith(f"reason: {refuse.reason}\n".encode())
        self._respond(client, refuse.response.head, refuse.response.content)

    def _respond(self, client: str | None, head: Response, body: bytes) -> None:
        if client is not None:
            self._responses[client] = ClientResponse(head.status, head.reason, head.fields, body)

    # ---- the operator

    async def purge(self, path: str, *, soft: bool) -> None:
        purged = keys(primary_key(Request("GET", self.scheme, HOST, PORT, path)), self._policy)
        self._store.purge([Scope(url_name(key), soft) for key in purged])

    def go_offline(self) -> None:
        self._policy = replace(self._policy, network=replace(self._policy.network, offline=True))

    def follow_clock(self) -> None:
        if self.clock.follow():
            self._policy = replace(self._policy, freshness=replace(self._policy.freshness, clock=self.clock.setting))

    def invalidate_clock(self) -> None:
        self._policy = replace(self._policy, freshness=replace(self._policy.freshness, clock_valid_from=math.inf))

    async def wait_for_count(self, counter: str, by: int) -> None:
        """Check counters of reasons that the engine gives. There are no other counters in this lane."""
        if counter.startswith(("not_stored.", "refused.")):
            assert self._counters[counter] == by, f"{counter} has risen by {self._counters[counter]}"

    def stored(self) -> tuple[StoredResponse, ...]:
        return tuple(self._store.entries())


def _is_in_one_of(names: frozenset[str], entry: StoredResponse) -> bool:
    return not names.isdisjoint(groups(entry.head.fields))
