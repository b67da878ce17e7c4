"""What the engine can say: one frozen record for each thing its caller has to do, carrying just what that needs."""

from __future__ import annotations

from dataclasses import dataclass

from cache.answer.answers import CopyAnswer, OwnAnswer, RelayedAnswer
from cache.answer.cache_status import Handling
from cache.http.messages import Request
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.rules.stored_response import StoredResponse

# ---- what a request leads to


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request on its way to the origin, and what is known about it here."""

    request: Request
    """As it is to be sent: conditional where stored responses are being validated."""
    fwd: Forwarded
    detail: Detail | None = None
    not_storable: NotStored | None = None
    """Why the answer must not be stored, where that is known before it comes."""
    nominated: tuple[StoredResponse, ...] = ()
    """The stored responses whose validators it carries."""
    selected: StoredResponse | None = None
    """The stored response that would have been the answer."""
    matching: tuple[StoredResponse, ...] = ()
    """All stored responses that could have been chosen."""
    completes: StoredResponse | None = None
    """The stored parts that what is asked for would make whole."""
    heads: tuple[str, ...] = ()
    """Ids of stored HEAD answers, which a GET answer makes superfluous."""
    repeated: bool = False
    """It has been asked once before."""


@dataclass(frozen=True, slots=True)
class Forward(UpstreamRequest):
    """Ask the origin; no stored response is being validated."""


@dataclass(frozen=True, slots=True)
class Validate(UpstreamRequest):
    """Ask the origin whether a stored response still holds."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Answer from a stored response."""

    answer: CopyAnswer
    entry: StoredResponse
    handling: Handling
    valid_until: float
    """Until then, and while the stored response is unchanged, the same request gets the same decision."""
    detail: Detail | None = None
    """What lies behind the hit, if it is not simply fresh."""
    background_validation: UpstreamRequest | None = None
    """To be asked in the background (RFC 5861 §3)."""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error of this proxy's own."""

    answer: OwnAnswer
    reason: Refused
    changes: tuple[Change, ...] = ()


# ---- what a response leads to


@dataclass(frozen=True, slots=True)
class Update:
    """Rewrite a stored head."""

    entry: StoredResponse


@dataclass(frozen=True, slots=True)
class Invalidate:
    """Mark every stored response under a key as needing validation."""

    key: str


@dataclass(frozen=True, slots=True)
class InvalidateGroups:
    """Mark every stored response of an origin that is in one of these groups as needing validation."""

    origin: str
    """Scheme, host and port as a primary key begins with them, the slash behind them included."""
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one stored response."""

    entry: StoredResponse


Change = Update | Invalidate | InvalidateGroups | Delete


@dataclass(frozen=True, slots=True)
class Store:
    """Relay the answer, and store it as `entry` in place of those that `replaces` names by id."""

    answer: RelayedAnswer
    entry: StoredResponse
    replaces: tuple[str, ...]
    handling: Handling
    changes: tuple[Change, ...] = ()
    secrets: frozenset[str] = frozenset()
    """Lower-case names of members of JSON whose values are taken out of the content before it is stored."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Store what comes as `entry`, and give `engine.completed` what was stored: the answer is put together of parts."""

    entry: StoredResponse
    replaces: tuple[str, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Freshen:
    """Answer from a stored response that the origin has just confirmed; `entry` is its updated form."""

    answer: CopyAnswer
    entry: StoredResponse
    handling: Handling
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """Relay the answer and store nothing."""

    answer: RelayedAnswer
    not_stored: NotStored | None
    handling: Handling | None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Drop this answer and ask again, once."""

    sent: Forward
    changes: tuple[Change, ...] = ()
