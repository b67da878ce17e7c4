"""The stored response: what the origin said, when, and for which request."""

from __future__ import annotations

from dataclasses import dataclass

from cache.http.messages import Response


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """One stored response, or one stored part of a response.

    `head` is the origin's definitive head as received, less the fields that must not be stored, updated by
    304s; nothing local is ever mixed into it. What a client is shown is computed when it is served. The head of a
    part is that of the 200 it belongs to (RFC 9111 §3.3).
    """

    id: str
    """Random and unique; the body is stored under the same id."""
    key: str
    """The primary cache key: the normalised target URI."""
    method: str
    """GET, HEAD or POST: the method it answered (RFC 9110 §9.3)."""
    target: str
    """The request's target URI as received, before normalisation."""
    head: Response
    request_time: float
    """When the request that produced or last validated it was sent; seconds since the epoch."""
    response_time: float
    """When that request's response head was received; seconds since the epoch."""
    stored_at: float
    """When its body was received from the origin; seconds since the epoch."""
    vary: tuple[tuple[str, str | None], ...] = ()
    """The request fields that Vary nominates, as (lower-case name, presented value or None if absent)."""
    length: int = 0
    """Octets of the stored body."""
    sha256: str = ""
    """SHA-256 of the stored body, in hexadecimal."""
    first: int = 0
    """Where the stored octets begin in the whole content."""
    complete_length: int | None = None
    """Octets of the whole content where only a part of it is stored; None where all of it is."""
    personal: bool = False
    """The request bore Cookie or Authorization: nothing is to be guessed about its freshness."""
    invalid: bool = False
    """Needs validation before any reuse, stale serving included (RFC 9111 §4.4)."""
    revision: int = 0
    """Counts updates of the head, so that a late 304 never overwrites a newer one."""
    scrubbed: bool = False
    """Something was taken out of it here, so that it is no longer the origin's octet for octet."""
    pieces: tuple[StoredResponse, ...] = ()
    """The stored parts that this one leads, when several are seen as one response. Never stored itself."""

    def with_body(self, length: int, sha256: str, *, invalid: bool = False) -> StoredResponse:
        """Return the same entry, new, with its body known; `invalid` if it needs validation before any use."""
        return StoredResponse(
            self.id,
            self.key,
            self.method,
            self.target,
            self.head,
            self.request_time,
            self.response_time,
            self.stored_at,
            self.vary,
            length,
            sha256,
            self.first,
            self.complete_length,
            self.personal,
            invalid or self.invalid,
            self.revision,
            self.scrubbed,
        )

    def confirmed(
        self,
        head: Response,
        request_time: float,
        response_time: float,
        vary: tuple[tuple[str, str | None], ...],
        *,
        personal: bool,
        scrubbed: bool,
    ) -> StoredResponse:
        """Return the same entry as the origin has just confirmed it, one revision later."""
        return StoredResponse(
            self.id,
            self.key,
            self.method,
            self.target,
            head,
            request_time,
            response_time,
            self.stored_at,
            vary,
            self.length,
            self.sha256,
            self.first,
            self.complete_length,
            personal,
            False,
            self.revision + 1,
            scrubbed,
            self.pieces,
        )

    @property
    def total(self) -> int:
        """Octets of the whole content, stored or not."""
        return self.length if self.complete_length is None else self.complete_length

    @property
    def milliseconds(self) -> int:
        """How long the origin took to begin its answer when it was last asked."""
        return max(0, int((self.response_time - self.request_time) * 1000))

    @property
    def parts(self) -> tuple[StoredResponse, ...]:
        """What is really stored of this response: its pieces, or itself."""
        return self.pieces or (self,)
