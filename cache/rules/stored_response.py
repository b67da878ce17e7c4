"""The stored response: its head, its times, and the request that it was sent for."""

from __future__ import annotations

from dataclasses import field

from cache.http.messages import Response
from cache.http.record import record
from cache.policy.clock_setting import UNKNOWN_SETTING, ClockSetting


@record
class StoredResponse:
    """One stored response, or one stored part of a response.

    `head` is the head that the origin sent, without the fields that must not be stored, and updated by 304 responses.
    It contains nothing of this proxy: the head for a client is computed when the response is served. The head of a
    part is that of the 200 it belongs to (RFC 9111 §3.3).
    """

    id: str
    """Random and unique; the body is stored under the same id."""
    key: str
    """The primary key: the normalised target URI."""
    method: str
    """The method of the request: GET, HEAD or POST (RFC 9110 §9.3)."""
    target: str
    """The target URI of the request as received, before normalisation."""
    head: Response
    request_time: float
    """The time at which the request that produced or last validated it was sent; seconds since the epoch."""
    response_time: float
    """The time at which that request's response head was received; seconds since the epoch."""
    stored_at: float
    """The time at which its body was received from the origin; seconds since the epoch."""
    vary: tuple[tuple[str, str | None], ...] = ()
    """The request fields that Vary nominates, as (lower-case name, compared value or None if absent)."""
    length: int = 0
    """Bytes of the stored body."""
    sha256: str = ""
    """SHA-256 of the stored body, in hexadecimal."""
    first: int = 0
    """Position of the first stored byte in the whole content."""
    complete_length: int | None = None
    """Bytes of the whole content if only a part of it is stored; None if all of it is stored."""
    personal: bool = False
    """May be for one user only: without a lifetime from its origin, it must be validated before every use."""
    invalid: bool = False
    """It must be validated before any use, even a stale one (RFC 9111 §4.4)."""
    revision: int = 0
    """Number of updates of the head, so that a late 304 does not overwrite a newer one."""
    scrubbed: bool = False
    """This proxy removed secrets, so the response differs from what the origin sent."""
    clock: ClockSetting = UNKNOWN_SETTING
    """The setting of the wall clock when the response was received."""
    tags: str = ""
    """The cache tags by which it can be purged, a line for each; see `cache.rules.tags`."""
    soft_purged: bool = False
    """A soft purge has come after its last validation: it is used while it is validated."""
    last_purge: int | None = field(default=None, compare=False)
    """Number of the last purge when it was asked for; None if no later one can concern it. Not stored."""
    combined_parts: tuple[StoredResponse, ...] = ()
    """The stored parts that this response was combined from, itself included. Not stored."""
    coded_forms: tuple[StoredResponse, ...] = field(default=(), compare=False)
    """The compressed forms of this response, see `cache.rules.coded_forms`. Not stored with it."""

    def with_body(
        self, length: int, sha256: str, *, invalid: bool = False, last_purge: int | None = None
    ) -> StoredResponse:
        """Return a new entry with its body known.

        `invalid` if it must be validated before any use; `last_purge` is as in the attribute.
        """
        return StoredResponse(
            id=self.id,
            key=self.key,
            method=self.method,
            target=self.target,
            head=self.head,
            request_time=self.request_time,
            response_time=self.response_time,
            stored_at=self.stored_at,
            vary=self.vary,
            length=length,
            sha256=sha256,
            first=self.first,
            complete_length=self.complete_length,
            personal=self.personal,
            invalid=invalid or self.invalid,
            revision=self.revision,
            scrubbed=self.scrubbed,
            clock=self.clock,
            tags=self.tags,
            soft_purged=self.soft_purged,
            last_purge=self.last_purge if last_purge is None else last_purge,
        )

    def revalidated(
        self,
        head: Response,
        request_time: float,
        response_time: float,
        vary: tuple[tuple[str, str | None], ...],
        *,
        personal: bool,
        scrubbed: bool,
        clock: ClockSetting,
        tags: str,
    ) -> StoredResponse:
        """Return the entry as the origin has just confirmed it, with the next revision."""
        return StoredResponse(
            id=self.id,
            key=self.key,
            method=self.method,
            target=self.target,
            head=head,
            request_time=request_time,
            response_time=response_time,
            stored_at=self.stored_at,
            vary=vary,
            length=self.length,
            sha256=self.sha256,
            first=self.first,
            complete_length=self.complete_length,
            personal=personal,
            invalid=False,
            revision=self.revision + 1,
            scrubbed=scrubbed,
            clock=clock,
            tags=tags,
            combined_parts=self.combined_parts,
            coded_forms=self.coded_forms,
        )

    @property
    def total(self) -> int:
        """Bytes of the whole content, stored or not."""
        return self.length if self.complete_length is None else self.complete_length

    @property
    def milliseconds(self) -> int:
        """Milliseconds that the origin took to begin its last response."""
        return max(0, int((self.response_time - self.request_time) * 1000))

    @property
    def parts(self) -> tuple[StoredResponse, ...]:
        """The stored parts of this response, or the response itself."""
        return self.combined_parts or (self,)
