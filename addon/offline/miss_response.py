"""The answer to a request that finds nothing offline: what is missing, what is near it, how to get it later."""

from __future__ import annotations

import html
import json
import logging
import shlex
from collections.abc import Callable, Sequence
from heapq import nsmallest

from addon.config.private_store import is_private
from addon.config.settings import Settings
from addon.offline.miss_queue import MissQueue, wanted_by
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.reply import Reply
from cache.engine.decisions import Refuse
from cache.http.fields import members
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Refused
from cache.policy.rules import Mode
from cache.rules.key import primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

NEAREST = 3
"""Stored URLs that are named."""

MOST_REMEMBERED = 1000
"""Missing URLs that are told to who asks over the control socket."""

_FORMS = ("text/plain", "text/html", "application/json")


class MissResponses:
    """Makes these answers, and keeps what was missing in the queue."""

    def __init__(self, stored: AsyncStore, queue: MissQueue | None, remedy: Callable[[str], str]) -> None:
        """Begin with nothing missing.

        Args:
            stored: Where to look for what is near.
            queue: Where to keep what was missing; None where nothing is kept.
            remedy: Returns the command that fetches the queue, where a host's URL was missing.
        """
        self._stored = stored
        self._queue = queue
        self._remedy = remedy
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> list[str]:
        """The URLs that were missing, each once, in order."""
        return list(self._missing)

    async def reply(self, request: Request, refuse: Refuse) -> Reply:
        """Return the answer to a request that was refused offline, in the form that it accepts."""
        if len(self._missing) < MOST_REMEMBERED:
            self._missing[request.uri] = None
        nearest = await self._nearest(request)
        remedy = self._remedy(request.host) if await self._queued(request) else None
        form = preferred(request.fields.get("accept"))
        sentence = refuse.answer.content.decode().partition("\n")[0]
        content = _CONTENTS[form](request, refuse.reason, sentence, nearest, remedy).encode()
        fields = refuse.answer.head.fields
        fields = fields.replacing("Content-Type", f"{form}; charset=utf-8" if form != "application/json" else form)
        fields = fields.replacing("Content-Length", str(len(content)))
        head = Response(refuse.answer.head.status, refuse.answer.head.reason, fields)
        return Reply(head, content)

    async def _queued(self, request: Request) -> bool:
        wanted = wanted_by(request)
        if wanted is None or self._queue is None:
            return False
        try:
            return await self._stored.run(self._queue.add, wanted)
        except OSError as error:
            logger.warning("what is missing cannot be noted: %s", error)
            return False

    async def _nearest(self, request: Request) -> list[str]:
        """Return the stored URLs of the same origin that begin most like this one."""
        key = primary_key(request)
        origin = "/".join(key.split("/", 3)[:3]) + "/"
        found: set[str] = set()

        def visit(entry: StoredResponse) -> bool:
            found.add(entry.target)
            return False  # none is invalidated

        try:
            await self._stored.run(self._stored.sync_store.invalidate_where, origin, visit)
        except StoreError as error:
            logger.warning("what is near cannot be told: %s", error)
        return nsmallest(NEAREST, found, key=lambda uri: (-_length_in_common(uri, key), len(uri), uri))


def _length_in_common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (mine, yours) in pairs if mine != yours), min(len(one), len(other)))


def remedy(settings: Settings, policy: CachePolicy, host: str, *, lasting: bool) -> str:
    """Return the command that fetches what was missing, for a proxy with these settings.

    Args:
        settings: The proxy's.
        policy: What it goes by now.
        host: Whose URL is missing.
        lasting: It goes on running: where a person has switched it offline, a person has to switch it back first.
    """
    options = f" --store {shlex.quote(settings.store.path)}" if settings.store.path else ""
    profile = f" --profile {settings.profile}" if settings.profile else ""
    fetch = f"secondhand queue run{' --private' if is_private(settings) else f'{options}{profile}'}"
    if not lasting or policy.mode_of(host) is not Mode.OFFLINE:
        return fetch
    which = "" if policy.network.mode is Mode.OFFLINE else f" {host}"
    back = f"secondhand online{which}{options}"
    # what is in the queue is then fetched by the proxy itself
    return back if settings.offline.queue else f"{back} && {fetch}"


def preferred(accept: str | None) -> str:
    """Return the media type to answer in: the one of ours that is accepted most, text where nothing says so."""
    weights = dict.fromkeys(_FORMS, 0.0)
    for member in members(accept or ""):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if name in weights:
            try:
                weights[name] = float(weight)
            except ValueError:
                weights[name] = 0.0
    best = max(weights.values())
    return next(name for name in _FORMS if weights[name] == best)


def _text(_request: Request, reason: str, sentence: str, nearest: Sequence[str], remedy: str | None) -> str:
    lines = [sentence]
    if nearest:
        lines += ["Stored are, among others:", *(f"  {uri}" for uri in nearest)]
    if remedy:
        lines += [f"Once there is a network, this fetches it: {remedy}"]
    return "\n".join([*lines, f"reason: {reason}", ""])


def _html(_request: Request, reason: str, sentence: str, nearest: Sequence[str], remedy: str | None) -> str:
    reachability = "".join(f'<li><a href="{html.escape(uri)}">{html.escape(uri)}</a></li>' for uri in nearest)
    heading = "Not in the recording" if reason == Refused.REPLAY else "Offline, and not stored"
    stored = f"<p>Stored are, among others:</p><ul>{reachability}</ul>" if nearest else ""
    later = f"<p>Once there is a network, this fetches it:</p><pre>{html.escape(remedy)}</pre>" if remedy else ""
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Not stored</title>'
        '<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto; overflow-wrap: anywhere">'
        f"<h1>{heading}</h1><p>{html.escape(sentence)}</p>{stored}{later}<p>reason: {reason}</p>\n"
    )


def _json(request: Request, reason: str, sentence: str, nearest: Sequence[str], remedy: str | None) -> str:
    said = {
        "reason": reason,
        "detail": sentence,
        "method": request.method,
        "url": request.uri,
        "nearest": list(nearest),
        "remedy": remedy,
    }
    return json.dumps(said, ensure_ascii=False) + "\n"


_CONTENTS = {"text/plain": _text, "text/html": _html, "application/json": _json}
