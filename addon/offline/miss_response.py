"""The response to a request that misses offline: it names similar stored URLs and a command that fetches the URL."""

from __future__ import annotations

import html
import json
import logging
import shlex
from collections.abc import Callable, Sequence

from addon.config.private_store import is_private_store
from addon.config.settings import Settings
from addon.offline.miss_queue import MissQueue, queueable
from addon.offline.modes import mode_with_network
from addon.offline.similar_urls import similar_urls
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.reply import Reply
from addon.pipeline.size_limit import SizeLimit
from cache.engine.decisions import Refuse
from cache.http.fields import members
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import Mode
from cache.policy.reasons import Refused
from cache.rules.key import primary_key, target_uri
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_SIMILAR = 3
"""Maximum number of similar URLs in a response."""

MAX_REMEMBERED = 1000
"""Maximum number of missed URLs that are kept in memory for the control command `missing`."""

_MEDIA_TYPES = ("text/plain", "text/html", "application/json")


class MissResponses:
    """Builds these responses, and adds the requests to the miss queue."""

    def __init__(
        self,
        stored: AsyncStore,
        queue: MissQueue | None,
        fetch_command: Callable[[str], str],
        size_limit: SizeLimit,
    ) -> None:
        """Start with no missed URLs.

        Args:
            stored: The store to search for similar URLs.
            queue: The queue for missed requests; None to queue nothing.
            fetch_command: Returns the command that fetches the queue, given the host of a missed URL.
            size_limit: Tells what is not stored even if it is fetched again.
        """
        self._size_limit = size_limit
        self._stored = stored
        self._queue = queue
        self._fetch_command = fetch_command
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> list[str]:
        """The missed URLs without duplicates, oldest first."""
        return list(self._missing)

    async def reply(self, request: Request, refuse: Refuse) -> Reply:
        """Return the reply to a request that was refused offline, in the media type that it accepts."""
        if len(self._missing) < MAX_REMEMBERED:
            self._missing[request.uri] = None
        similar = await self._similar_uris(request)
        too_large = await self._size_limit.too_large(target_uri(request))
        # to fetch it again would not help
        queued = too_large is None and await self._enqueue(request)
        command = self._fetch_command(request.host) if queued else None
        media_type = preferred_media_type(request.fields.get("accept"))
        sentence = refuse.response.content.decode().partition("\n")[0]
        if too_large is not None:
            sentence = f"{sentence} {too_large.sentence()}"
        content = _FORMATTERS[media_type](request, refuse.reason, sentence, similar, command).encode()
        content_type = media_type if media_type == "application/json" else f"{media_type}; charset=utf-8"
        fields = refuse.response.head.fields.replacing("Content-Type", content_type)
        fields = fields.replacing("Content-Length", str(len(content)))
        head = Response(refuse.response.head.status, refuse.response.head.reason, fields)
        return Reply(head, content, refused=refuse.reason)

    async def _enqueue(self, request: Request) -> bool:
        """Add a request to the queue if that is allowed. Return whether the queue contains it now."""
        wanted = queueable(request)
        if wanted is None or self._queue is None:
            return False
        try:
            return await self._stored.run(self._queue.add, wanted)
        except OSError as error:
            logger.warning("the miss queue cannot be written: %s", error)
            return False

    async def _similar_uris(self, request: Request) -> list[str]:
        """Return the stored URLs of the same origin that are similar."""
        key = primary_key(request)
        origin = "/".join(key.split("/", 3)[:3]) + "/"
        found: set[str] = set()

        def visit(entry: StoredResponse) -> bool:
            found.add(entry.target)
            return False  # so that no entry is invalidated

        try:
            await self._stored.run(self._stored.sync_store.invalidate_where, origin, visit)
        except StoreError as error:
            logger.warning("the store cannot be searched for similar URLs: %s", error)
        return similar_urls(key, found, MAX_SIMILAR)


def remedy(settings: Settings, policy: CachePolicy, host: str, *, lasting: bool) -> str:
    """Return the command that fetches missed requests, for a proxy with these settings.

    Args:
        settings: The settings of the proxy.
        policy: The current policy of the proxy.
        host: The host of the missed URL.
        lasting: The proxy keeps running. If it was switched offline by hand, it must then be switched back first.
    """
    options = f" --store {shlex.quote(settings.store.path)}" if settings.store.path else ""
    profile = f" --profile {settings.profile}" if settings.profile else ""
    fetch = f"secondhand queue run{' --private' if is_private_store(settings) else f'{options}{profile}'}"
    if not lasting or policy.mode_of(host) is not Mode.OFFLINE:
        return fetch
    host_argument = "" if policy.network.mode is Mode.OFFLINE else f" {host}"
    go_online = f"secondhand {mode_with_network(settings.cache)}{host_argument}{options}"
    # with `offline.queue`, the proxy itself fetches the queue as soon as it is online
    return go_online if settings.offline.queue else f"{go_online} && {fetch}"


def preferred_media_type(accept: str | None) -> str:
    """Return the most preferred of our media types by an Accept field value; text/plain without a preference."""
    weights = dict.fromkeys(_MEDIA_TYPES, 0.0)
    for member in members(accept or ""):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if name in weights:
            try:
                weights[name] = float(weight)
            except ValueError:
                weights[name] = 0.0
    best = max(weights.values())
    return next(name for name in _MEDIA_TYPES if weights[name] == best)


def _text(_request: Request, reason: str, sentence: str, similar: Sequence[str], command: str | None) -> str:
    lines = [sentence]
    if similar:
        lines += ["Similar URLs that are stored:", *(f"  {uri}" for uri in similar)]
    if command:
        lines += [f"This command fetches it when there is a network: {command}"]
    return "\n".join([*lines, f"reason: {reason}", ""])


def _html(_request: Request, reason: str, sentence: str, similar: Sequence[str], command: str | None) -> str:
    links = "".join(f'<li><a href="{html.escape(uri)}">{html.escape(uri)}</a></li>' for uri in similar)
    heading = "Not in the recording" if reason == Refused.REPLAY else "Offline, and not stored"
    stored = f"<p>Similar URLs that are stored:</p><ul>{links}</ul>" if similar else ""
    later = (
        f"<p>This command fetches it when there is a network:</p><pre>{html.escape(command)}</pre>" if command else ""
    )
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Not stored</title>'
        '<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto; overflow-wrap: anywhere">'
        f"<h1>{heading}</h1><p>{html.escape(sentence)}</p>{stored}{later}<p>reason: {reason}</p>\n"
    )


def _json(request: Request, reason: str, sentence: str, similar: Sequence[str], command: str | None) -> str:
    content = {
        "reason": reason,
        "detail": sentence,
        "method": request.method,
        "url": request.uri,
        "nearest": list(similar),
        "remedy": command,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


_FORMATTERS = {"text/plain": _text, "text/html": _html, "application/json": _json}
