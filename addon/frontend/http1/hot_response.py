"""Answers that are ready: what a request head led to is remembered until the engine might decide otherwise.

The same octets on the same kind of connection are the same request, and the engine is a function of the request, the
stored responses, the policy and the time. So while the policy and the stored responses under the key are the same and
`valid_until` has not come, the answer is the same but for `Age` and `ttl`, which count on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from addon.frontend.http1.response_head import framing_of, head_octets
from addon.runtime.access_log import access_line
from cache.engine.decisions import Serve
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.stored_response import StoredResponse

SMALL = 4096
"""Octets of content that are kept in one piece with the head."""

FEW = 16
"""Signs in content that would have to be doubled in a template."""


@dataclass(slots=True, eq=False)
class HitCount:
    """What hot answers of one kind have been sent."""

    scheme: str
    exemption: str | None
    answers: int = 0
    octets: int = 0
    """Of content."""
    milliseconds: int = 0
    """That origins took for what was sent from copies instead."""


@dataclass(frozen=True, slots=True)
class GenerationStamp:
    """Where the generation table tells of changes, and what it said before the stored responses were looked up."""

    slot: int
    generation: int
    version: int


@dataclass(slots=True, eq=False)
class HotResponse:
    """One answer, but for the seconds in its head."""

    place: GenerationStamp
    version: int
    """Of the generation table when it last said so."""
    policy: CachePolicy
    entry_id: str
    valid_until: float
    """In seconds since the epoch."""
    born: float
    """When the stored response had age 0, in seconds since the epoch."""
    lifetime: int
    """Seconds."""
    template: bytes
    """The head, with `%d` for `Age` and, where it is said, for `ttl`; with it the content, if that is small."""
    says_ttl: bool
    content: bytes
    """What is not in the template."""
    length: int
    """Octets of content."""
    milliseconds: int
    """That the origin took."""
    tally: HitCount
    line: str
    """Its line in the access log, from the method on."""
    visited: bool = False
    """Sent since the pool last looked."""
    used: bool = False
    """Sent since the store was last told."""
    long: bool = False
    """In the pool's long queue."""

    def octets(self, now: float) -> bytes:
        """Return the octets at `now`, in seconds since the epoch, but for `content`."""
        age = now - self.born
        if self.says_ttl:
            return self.template % (floor(age), floor(self.lifetime - age))
        return self.template % floor(age)


def template_of(request: Request, serve: Serve, policy: CachePolicy) -> tuple[bytes, bool] | None:
    """Return the head with `%d` in place of the seconds, and whether `ttl` is among them, or None if it has no Age."""
    head = serve.answer.head
    lines = [(name.replace("%", "%%"), value.replace("%", "%%")) for name, value in head.fields.lines]
    if sum(name == "Age" for name, _ in lines) != 1:
        return None
    lines = [(name, "%d" if name == "Age" else value) for name, value in lines]
    said = f"; ttl={serve.handling.ttl}"
    says_ttl = policy.presentation.cache_status and said in lines[-1][1]
    if says_ttl:  # our own member is the last line of the head
        before, _, after = lines[-1][1].rpartition(said)
        lines[-1] = (lines[-1][0], f"{before}; ttl=%d{after}")
    template = Response(head.status, head.reason.replace("%", "%%"), Fields(tuple(lines)), head.version)
    return head_octets(template, framing_of(template, request.method, request.version, persistent=True)), says_ttl


def hot_response(
    request: Request,
    serve: Serve,
    content: bytes,
    policy: CachePolicy,
    now: float,
    place: GenerationStamp,
    tally: HitCount,
) -> HotResponse | None:
    """Return an answer that can be given again, or None where it may be another one a moment later.

    Args:
        request: What was asked.
        serve: What the engine decided at `now`, in seconds since the epoch.
        content: The octets of the answer's content.
        policy: What the engine went by.
        now: When it decided.
        place: That of the primary key.
        tally: Where it is counted.
    """
    if serve.valid_until <= now or serve.background_validation is not None or not policy.shortcuts.hot_response:
        return None
    template = template_of(request, serve, policy)
    if template is None:
        return None
    entry: StoredResponse = serve.entry
    together = len(content) <= SMALL and content.count(b"%") <= FEW  # one piece of memory is found sooner than two
    return HotResponse(
        place=place,
        version=place.version if place.generation >= 0 else -1,
        policy=policy,
        entry_id=entry.id,
        valid_until=serve.valid_until,
        born=now - current_age(entry, policy, now),
        lifetime=freshness_lifetime(entry, policy).seconds,
        template=template[0] + content.replace(b"%", b"%%") if together else template[0],
        says_ttl=template[1],
        content=b"" if together else content,
        length=len(content),
        milliseconds=entry.milliseconds,
        tally=tally,
        line=access_line(request, serve.answer.head.status, len(content), serve.handling),
    )
