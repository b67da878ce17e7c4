"""The decisions of the engine: a frozen record for each action of its caller, with all that the action needs."""

from __future__ import annotations

from cache.answer.cache_status import Handling
from cache.answer.responses import CopyResponse, ErrorResponse, RelayedResponse
from cache.http.messages import Request
from cache.http.record import record
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import VaryValues

# ---- decisions about a request


@record
class UpstreamRequest:
    """A request to send to the origin, and what is needed to handle its response."""

    request: Request
    """The request as it is sent, conditional if stored responses are validated."""
    fwd: Forwarded
    """The reason to forward it: the `fwd` of Cache-Status (RFC 9211 §2.2)."""
    detail: Detail | None = None
    not_storable: NotStored | None = None
    """The reason not to store the response, if that is known before it is received."""
    to_validate: tuple[StoredResponse, ...] = ()
    """The stored responses whose validators the request carries."""
    selected: StoredResponse | None = None
    """The stored response that was selected, but may not be used without the origin."""
    matching: tuple[StoredResponse, ...] = ()
    """All stored responses that match the client's request."""
    stored_parts: StoredResponse | None = None
    """The stored parts of a response whose missing part is fetched."""
    stored_heads: tuple[StoredResponse, ...] = ()
    """The stored responses to HEAD; a stored response to GET replaces them."""
    variant: VaryValues = ()
    """The request's values of the fields by which responses under its key are selected, as far as they are known."""
    is_retry: bool = False
    """It repeats a request whose response could not be used."""


@record
class Forward(UpstreamRequest):
    """Fetch a response from the origin, without validating a stored one."""


@record
class Validate(UpstreamRequest):
    """Ask the origin whether a stored response is still valid."""


@record
class Serve:
    """Answer from a stored response."""

    response: CopyResponse
    entry: StoredResponse
    handling: Handling
    valid_until: float
    """Until this time, while the stored response is unchanged, an equal request gets an equal decision."""
    detail: Detail | None = None
    """The reason to use the stored response, if it is not fresh by an explicit lifetime."""
    background_validation: UpstreamRequest | None = None
    """The request for a background revalidation (RFC 5861 §3)."""
    changes: tuple[Change, ...] = ()


@record
class Refuse:
    """Answer with an error that this proxy generates."""

    response: ErrorResponse
    reason: Refused
    changes: tuple[Change, ...] = ()


# ---- changes of the store


@record
class Update:
    """Replace the head of a stored response."""

    entry: StoredResponse


@record
class Invalidate:
    """Mark every stored response under a key as needing validation."""

    key: str


@record
class InvalidateGroups:
    """Mark every stored response of an origin in one of these groups as needing validation."""

    origin: str
    """Scheme, host and port as primary keys begin with them, with the slash behind them."""
    groups: frozenset[str]


@record
class Delete:
    """Delete one stored response."""

    entry: StoredResponse


Change = Update | Invalidate | InvalidateGroups | Delete


# ---- decisions about a response


@record
class Store:
    """Relay the response, and store it as `entry` in place of the entries whose ids are in `replaces`."""

    response: RelayedResponse
    entry: StoredResponse
    replaces: tuple[str, ...]
    handling: Handling
    changes: tuple[Change, ...] = ()
    secrets: frozenset[str] = frozenset()
    """Lower-case names of the JSON members whose values are removed from the content before it is stored."""


@record
class Complete:
    """Store the response as `entry`, a missing part; then call `engine.response_from_parts` with that part."""

    entry: StoredResponse
    replaces: tuple[str, ...]
    changes: tuple[Change, ...] = ()


@record
class Freshen:
    """Answer from a stored response that the origin has just validated; `entry` is its updated form."""

    response: CopyResponse
    entry: StoredResponse
    handling: Handling
    changes: tuple[Change, ...] = ()


@record
class Relay:
    """Relay the response without storing it."""

    response: RelayedResponse
    not_stored: NotStored
    handling: Handling | None
    changes: tuple[Change, ...] = ()


@record
class Retry:
    """Discard the response, and send `upstream_request` instead."""

    upstream_request: Forward
    changes: tuple[Change, ...] = ()


Outcome = Store | Complete | Freshen | Relay | Serve | Retry | Refuse
"""A decision about an origin's response, or about a failed fetch."""
