"""The commands of the cache inside another mitmproxy, for its console, mitmweb, key bindings and other addons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from mitmproxy import ctx, exceptions, http
from mitmproxy.addonmanager import Loader
from mitmproxy.log import ALERT
from mitmproxy.types import Data

from addon.config.units import size_text
from addon.frontend.mitm import command_arguments, options
from addon.frontend.mitm.command_arguments import NO_MODE, FlowsOrUrl, ModeName, named
from addon.frontend.mitm.flow_requests import destination_of, request_of_flow
from addon.frontend.mitm.notes import DECISION, REASON
from addon.frontend.mitm.way_out import current_way, way_of_flow
from addon.offline.prefetch import prefetch
from addon.offline.wanted import Wanted
from addon.pipeline.explanation import described_note, explanation_rows, last_fetch, stored_for
from addon.pipeline.stored_description import HEADINGS, compared_rows, summary
from addon.runtime.background_tasks import BackgroundTasks
from addon.service import Service
from cache.http.messages import Fields, Request
from cache.policy.private_cache import without_dropped_parameters
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.rules.key import ascii_uri, key_of_uri, primary_key, request_for, target_uri
from cache.rules.mementos import current
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

OURS = ("via", "if-none-match", "if-modified-since", "cache-control", "pragma")
"""Fields that this proxy may have added to a flow's request, or that a refresh replaces."""

Row = Iterable[str]


class Commands:
    """Commands of mitmproxy, by which people and other addons use the cache."""

    def __init__(self, service: Callable[[], Service | None]) -> None:
        """Ask the service that `service` returns; None as long as it is not open."""
        self._service = service
        self._tasks = BackgroundTasks()

    def add_to(self, loader: Loader) -> None:
        """Add the commands to mitmproxy."""
        command_arguments.make_known()
        for function in (self.why, self.show, self.purge, self.refresh, self.mode, self.stats):
            loader.add_command(f"secondhand.{function.__name__}", function)

    def why(self, what: FlowsOrUrl) -> Data:
        """Explain which response the requests of flows, or a request for a URL, would get from the cache now."""
        with self._asked() as service:
            return _table(row for each in named(what) for row in _why(service, each))

    def show(self, what: FlowsOrUrl) -> Data:
        """Show what is stored for flows or for a URL: the head that the origin sent beside what clients get."""
        with self._asked() as service:
            return _table(row for each in named(what) for row in shown(service, _key(each)))

    def purge(self, what: FlowsOrUrl) -> None:
        """Delete what is stored for the URLs of flows, or for one URL. The log says how many copies that were."""
        with self._asked() as service:
            keys = list(dict.fromkeys(_key(each) for each in named(what)))
            self._tasks.begin(_purge(service, keys))

    def refresh(self, what: FlowsOrUrl) -> None:
        """Fetch the URLs of flows, or one URL, from the origin into the store. The log says what came."""
        with self._asked() as service:
            for each in named(what):
                self._tasks.begin(_refresh(service, each))

    def mode(self, mode: ModeName = NO_MODE, host: str = "") -> Data:
        """Switch all hosts, or one, between online, auto and offline; without arguments, show the modes."""
        with self._asked() as service:
            if mode and not host:
                ctx.options.update(secondhand_mode=mode)  # so that the list of options shows it
            if mode:
                arguments: dict[str, str] = {"mode": mode} | ({"host": host} if host else {})
                self._tasks.begin(_switch(service, arguments))
            return _table(_modes(service.modes.described()))

    def stats(self) -> Data:
        """Show the size of the store and the counters of this proxy."""
        with self._asked() as service:
            contents = service.store.statistics()
            rows = [("store", service.own_store.condition.state.value), ("entries", str(contents.entries))]
            rows += [("size", size_text(contents.size))]
            rows += [("max_size", size_text(contents.max_size))] if contents.max_size is not None else []
            return _table([*rows, *((name, str(count)) for name, count in service.counters.snapshot().items())])

    @contextmanager
    def _asked(self) -> Iterator[Service]:
        """Give the service; what it raises becomes an error of the command."""
        service = self._service()
        if service is None:
            state = "is not open yet" if options.is_on() else "is off: set secondhand=true"
            raise exceptions.CommandError(f"the cache {state}")
        try:
            yield service
        except (ValueError, StoreError, exceptions.OptionsError) as error:
            raise exceptions.CommandError(str(error)) from error


def shown(service: Service, key: str) -> Iterator[Row]:
    """Iterate over the rows that show what is stored under a cache key. Raises StoreError."""
    policy, now = service.policy, service.clock()
    entries = current(stored_for(service.store, key, policy))
    if not entries:
        yield ("", key, "nothing is stored", "")
    for entry in entries:
        yield from (("", line, "", "") for line in summary(entry, policy, now))
        yield HEADINGS
        yield from compared_rows(entry, policy, now)


def _why(service: Service, each: http.HTTPFlow | str) -> Iterator[Row]:
    if isinstance(each, http.HTTPFlow) and (decision := each.metadata.get(DECISION)):
        reason = str(each.metadata.get(REASON, ""))
        yield ("this flow was", f"{decision}: {reason}" if reason else decision, _sentence(reason))
    request = without_dropped_parameters(_request(each), service.policy.keying.query_rules)
    found = stored_for(service.store, primary_key(request), service.policy)
    explanation, note = service.why.explained(request, found)
    yield from explanation_rows(explanation)
    if note is not None:
        yield ("last time", last_fetch(described_note(note, service.clock())), "")
    yield ("now it would be", f"{explanation.decision}, {explanation.reason}", "")


def _sentence(reason: str) -> str:
    for kind in (NotStored, Detail, Refused, Forwarded):
        if reason in list(kind):
            return text_of(kind(reason)).sentence
    return ""


async def _purge(service: Service, keys: list[str]) -> None:
    try:
        counts = [(await service.purges.handle({"url": key, "by": "mitmproxy"}))["deleted"] for key in keys]
    except ValueError as error:
        logger.error("purge: %s", error)
        return
    deleted = sum(count for count in counts if isinstance(count, int))
    logger.log(ALERT, "secondhand: %d %s deleted", deleted, "copy" if deleted == 1 else "copies")


async def _refresh(service: Service, each: http.HTTPFlow | str) -> None:
    try:
        request = _request(each)
        if isinstance(each, http.HTTPFlow):
            current_way.set(way_of_flow(each, request))
        fields = (*request.fields.without(OURS), ("Cache-Control", "no-cache"))
        fetched = await prefetch(service.active.current, Wanted(target_uri(request), fields))
    except ValueError as error:
        logger.error("refresh: %s", error)
        return
    result = fetched.problem or f"{fetched.status}, {size_text(fetched.octets)}"
    logger.log(ALERT, "secondhand: %s: %s", fetched.uri, result)


async def _switch(service: Service, arguments: dict[str, str]) -> None:
    try:
        await service.modes.handle(arguments)
    except ValueError as error:
        logger.error("mode: %s", error)


def _modes(described: dict[str, object]) -> Iterator[Row]:
    yield ("all hosts", str(described["mode"]))
    hosts, unreachable = described["hosts"], described["unreachable"]
    yield from ((host, str(mode)) for host, mode in hosts.items()) if isinstance(hosts, dict) else ()
    yield from ((str(each), "does not answer") for each in unreachable) if isinstance(unreachable, list) else ()


def _key(each: http.HTTPFlow | str) -> str:
    return primary_key(_request(each)) if isinstance(each, http.HTTPFlow) else key_of_uri(each)


def _request(each: http.HTTPFlow | str) -> Request:
    """Return a flow's request without what this proxy added to it, or a request for a URL. Raises ValueError."""
    if isinstance(each, str):
        return request_for(ascii_uri(each), Fields((("User-Agent", "secondhand"),)))
    request = request_of_flow(each, destination_of(each))
    return request.with_fields(request.fields.without(OURS[:1]))


def _table(rows: Iterable[Row]) -> Data:
    return cast(Data, [list(row) for row in rows])
