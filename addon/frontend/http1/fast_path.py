"""The fast path of HTTP/1: requests that are answered, or sent to the origin, without a task.

- A request head that came before, whose response is still valid: the hot response is sent at once.
- A request that the store can answer from memory: a hot response is made.
- A request whose response has its content in a file: it is sent by a task, but the engine does not decide again.
- A miss like an earlier one, or a stale copy: a direct fetch sends the request to the origin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from addon.frontend.http1.batched_counters import BatchedCounters
from addon.frontend.http1.direct_fetch import DirectFetchClient, ReadyFetch
from addon.frontend.http1.file_hits import FileHits
from addon.frontend.http1.hot_cache import HotCache, HotKey
from addon.frontend.http1.hot_response import HitCount, HotResponse, KnownDecision, hot_response
from addon.frontend.http1.memory_files import MemoryFiles
from addon.frontend.http1.recent_hits import RecentHits
from addon.frontend.http1.request_classes import RequestClass, RequestClasses
from addon.frontend.http1.request_templates import RequestTemplates
from addon.frontend.http1.send import MAX_JOINED
from addon.frontend.http1.validations import Validations
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.single_flight import ANYONE, audience_of
from addon.runtime.access_log.file import AccessLog
from addon.runtime.access_log.logged_response import LoggedResponse
from addon.runtime.counters import Counters
from addon.runtime.metrics.responses import ResponseMetrics
from addon.runtime.metrics.samples import Samples
from cache import engine
from cache.answer.cache_status import Handling
from cache.engine.decisions import Forward, Refuse, Serve, Validate
from cache.http.client import Client
from cache.http.messages import Request
from cache.policy.reasons import Forwarded
from cache.rules.key import primary_key
from cache.rules.site_requests import effects_of
from cache.rules.stored_response import StoredResponse
from cache.rules.streams import asks_for_stream
from cache.stores.base import Stamp
from cache.stores.whole_copy import WholeCopy

MAX_USES_REPORTED = 5_000
"""Hot responses a second whose use is reported to the store, since reporting takes time."""

MEMORY_FILES_SHARE = 16
"""Files in memory may take one part in so many of the memory for hot responses."""


class FastPath:
    """Hot responses and direct fetches for the active pipeline. Belongs to the event loop.

    Attributes:
        hot: The hot cache, by the bytes of the request head.
        memory_files: The files in memory of the large ones.
        classes: The request classes.
        fetcher: The active pipeline's fetcher.
        templates: The request templates of the active pipeline.
        validations: Its validation plans.
        clock: Returns seconds since the epoch.
        log: The access log, if there is one.
        metrics: Counts hot responses.
        site_of: Returns the name of the site of a host.
        recent_hits: Lists hot responses among the recent exchanges, if there are any.
    """

    def __init__(
        self,
        active: ActivePipeline,
        counters: Counters,
        clock: Callable[[], float],
        hot_size: int,
        log: AccessLog | None = None,
    ) -> None:
        """Keep at most `hot_size` bytes of hot responses, and log them to `log`."""
        self.clock = clock
        self.hot = HotCache(hot_size - hot_size // MEMORY_FILES_SHARE)
        self.memory_files = MemoryFiles(hot_size // MEMORY_FILES_SHARE)
        self.classes = RequestClasses(lambda: self.fetcher.policy.site_rules)
        self._active = active
        self.log = log
        self.site_of: Callable[[str], str] = lambda _: ""
        self._counters = counters
        self._batched = BatchedCounters(counters)
        self._hit_counts: dict[tuple[str, str | None, str, str, int], HitCount] = {}
        self.metrics = ResponseMetrics()
        self._used: list[HotResponse] = []
        self.recent_hits: RecentHits | None = None
        self._use(active)
        active.add_observer(self._policy_changed)
        counters.add_source(self._flush_hits)

    def _use(self, active: ActivePipeline) -> None:
        """Work for the active pipeline; forget everything that belongs to another one."""
        self._pipeline = active.current
        self.fetcher = self._pipeline.fetcher
        self.hot.clear()
        self.classes.forget()
        self.file_hits = FileHits(self.is_valid, self._batched)
        self.templates = RequestTemplates(self.fetcher, self._batched)
        self._generations = self._pipeline.store.generations
        self.validations = Validations(self.fetcher, self.templates, self._generations, self._batched)

    def _policy_changed(self) -> None:
        # hot responses and templates of another policy are found invalid one by one; those of another store are dropped
        current = self._active.current
        if current is not self._pipeline or current.store.generations is not self._generations:
            self.report_uses()
            self._use(self._active)

    def end_connections(self) -> None:
        """Answer by the handler from now on, which ends the connection with the response."""
        self.templates.keep_connections = False

    # ---- hot responses

    def is_valid(self, hot: KnownDecision, now: float) -> bool:
        """Return whether the engine would decide the same at `now` (seconds since the epoch)."""
        if now >= hot.valid_until or hot.policy is not self.fetcher.policy:
            return False
        version = self._generations.version()
        if hot.version != version:  # something in the store has changed, though rarely under this key
            if not self._generations.is_current(hot):
                return False
            hot.version = version
        return True

    def write(self, transport: asyncio.Transport, hot: HotResponse, now: float) -> None:
        """Write a hot response as it is at `now`, in seconds since the epoch."""
        head = hot.head_at(now)
        if len(hot.content) <= MAX_JOINED:
            transport.write(head + hot.content)
        else:
            self.memory_files.write(transport, head, hot)

    def count(self, hot: HotResponse, now: float, address: Callable[[], str], transport: asyncio.BaseTransport) -> None:
        """Count and log a hot response; `address` returns that of the client that has got it by `transport`."""
        hot.visited = True
        hot.sent += 1
        hits = hot.hits
        hits.responses += 1
        hits.bytes += hot.length
        hits.milliseconds += hot.milliseconds
        if not hot.used and len(self._used) < MAX_USES_REPORTED:
            hot.used = True
            self._used.append(hot)
            if self.recent_hits is not None:
                self.recent_hits.note(hot, now, address)
        if self.log is not None:
            self.log.note_hit(now, address(), transport, hot.log_line)

    def _flush_hits(self) -> None:
        """Add the hot responses that were sent to the counters and the metrics."""
        for hits in self._hit_counts.values():
            hits.flush(self._counters, self.metrics)

    def add_metrics(self, samples: Samples) -> None:
        """Say how many hot responses there are."""
        samples.add("tier_bytes", self.hot.size, "hot")
        samples.add("tier_entries", len(self.hot), "hot")

    def report_uses(self) -> None:
        """Report to the store which stored responses were used, and add them to the recent exchanges."""
        if self.recent_hits is not None:
            self.recent_hits.report()
        touch = self._pipeline.store.sync_store.touch
        for hot in self._used:
            hot.used, hot.sent = False, 0
            touch(hot.entry_id)
        self._used.clear()

    # ---- requests that no hot response answers

    def known(
        self, head_as_sent: bytes, client: DirectFetchClient, sent_by: Client | None = None
    ) -> HotResponse | ReadyFetch | None:
        """Return what an equal request has led to: a direct fetch or a hot response, which may have become invalid.

        `sent_by` is whom the origin is told as the client; the other arguments are as for `prepare`.
        """
        validation = self.validations.repeat(head_as_sent, self.clock, client, sent_by)
        return validation if validation is not None else self.hot.get(head_as_sent)

    def prepare(
        self, head_as_sent: bytes, request: Request, alike: RequestClass | None, *, client: DirectFetchClient
    ) -> HotResponse | ReadyFetch | None:
        """Return a hot response made now, or a direct fetch; None if the handler has to answer.

        Args:
            head_as_sent: The request head with the prefix of its connection; the hot response is kept under it.
            request: The same request, parsed; it has no content.
            alike: The class of the request, if it has one.
            client: Gets the response to a direct fetch.
        """
        store, policy, now = self._pipeline.store, self.fetcher.policy, self.clock()
        if not policy.shortcuts.direct_fetch:
            return None
        if (file_hit := self.file_hits.find(head_as_sent, request, now, client)) is not None:
            return file_hit
        key = primary_key(request)
        if alike is not None and alike.patterns:
            stamp = self._generations.stamp(key)
            whole = store.peek_whole(key)
            if whole == ():
                return self._fetch(request, key, alike, now, client)
            if whole and (hot := self._by_pattern(alike, request, whole, stamp=stamp, now=now)):
                self.hot.put(head_as_sent, hot)
                return hot
        elif store.peek(key) == ():
            return self._fetch(request, key, alike, now, client)
        stamp = self._generations.stamp(key)
        candidates = store.peek(key) or ()  # after the stamp, so that a change in between is noticed
        match self._decide(request, candidates, now):
            case Validate() as sent if effects_of(request, policy).rate is None:  # a plan would not count requests
                return self.validations.validate(head_as_sent, request, sent, stamp, now=now, client=client)
            case Serve() as serve:
                made = self._make_hot(HotResponse, head_as_sent, request, serve, stamp=stamp, now=now)
                if made is None:
                    self.file_hits.keep(head_as_sent, serve, policy, stamp, now)
                elif alike is not None and len(candidates) == 1:
                    alike.patterns.learn(request, serve, policy, made)
                return made
        return None

    def hit[Kind: HotResponse](self, kind: type[Kind], name: HotKey, request: Request) -> Kind | None:
        """Return a hot response of this kind made now, or None if the store cannot answer from memory.

        Args:
            kind: The class of the hot responses of the client's protocol.
            name: Where the hot response is kept: what is equal for equal requests.
            request: The request; it has no content.
        """
        if not self.fetcher.policy.shortcuts.hot_response:
            return None
        key, now = primary_key(request), self.clock()
        stamp = self._generations.stamp(key)
        candidates = self._pipeline.store.peek(key) or ()  # after the stamp, as above
        match self._decide(request, candidates, now):
            case Serve() as serve:
                return self._make_hot(kind, name, request, serve, stamp=stamp, now=now)
        return None

    def _fetch(
        self, request: Request, key: str, alike: RequestClass | None, now: float, client: DirectFetchClient
    ) -> ReadyFetch | None:
        """Return a fetch for a miss like an earlier one, or None if it is none, or cannot be sent at once."""
        template = alike.template if alike is not None else None
        if template is None or not self.templates.is_valid(template):
            template = self.templates.find(request)
            if alike is not None:
                alike.template = template
        return None if template is None else self.templates.fetch(template, request, key, now, client)

    def _decide(
        self, request: Request, candidates: Sequence[StoredResponse], now: float
    ) -> Serve | Validate | Forward | Refuse | None:
        """Return the engine's decision, or None if there are no stored responses in memory."""
        return engine.on_request(request, candidates, self.fetcher.policy, now) if candidates else None

    def _by_pattern(
        self, alike: RequestClass, request: Request, whole: WholeCopy, *, stamp: Stamp, now: float
    ) -> HotResponse | None:
        return alike.patterns.hot_response(
            request,
            whole,
            policy=self.fetcher.policy,
            now=now,
            stamp=stamp,
            hits=self._hits,
            log_line=self._log_line if self.log is not None else None,
        )

    def _log_line(self, request: Request, status: int, size: int, handling: Handling) -> str:
        """Return the line of a hot response in the access log, as `LineFormat.prepare` returns it."""
        response = LoggedResponse(status, size, request, handling=handling)
        return self.log.prepare(response, self.site_of(request.host)) if self.log is not None else ""

    def _make_hot[Kind: HotResponse](
        self, kind: type[Kind], name: HotKey, request: Request, decision: Serve, *, stamp: Stamp, now: float
    ) -> Kind | None:
        content = self.fetcher.reply_builder.content_in_memory(decision.response)
        if content is None:
            return None
        policy, response = self.fetcher.policy, decision.response
        hits = self._hits(request, response.exemption, response.head.status)
        hot = hot_response(
            kind,
            request,
            decision,
            content,
            policy=policy,
            now=now,
            stamp=stamp,
            hits=hits,
            log_line=self._log_line if self.log is not None else None,
        )
        if hot is not None:
            self.hot.put(name, hot)
        return hot

    def _hits(self, request: Request, exemption: str | None, status: int) -> HitCount:
        host = self._counters.counted_as(request.authority)
        place = request.scheme, exemption, host, self.site_of(request.host), status
        found = self._hit_counts.get(place)
        if found is None:
            found = self._hit_counts[place] = HitCount(*place)
        return found

    def is_shareable(self, request: Request) -> bool:
        """Return whether other requests may use the origin's response to this one, as far as is known."""
        plain = request.method == "GET" and not request.has_content and "range" not in request.fields
        if not plain or asks_for_stream(request):
            return False
        key, now, single_flight = primary_key(request), self.clock(), self.fetcher.single_flight
        audiences = {ANYONE, audience_of(request, Forwarded.URI_MISS)}
        return not any(single_flight.is_hit_for_pass(key, now, audience) for audience in audiences)
