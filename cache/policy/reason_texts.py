"""What each reason means, in a sentence, and the clause behind it; `secondhand why` prints these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.policy.reasons import Detail, Dropped, Forwarded, NotStored, Refused


@dataclass(frozen=True, slots=True)
class Clause:
    """A reason for people."""

    sentence: str
    source: str
    """The section that says so, or `ours` where it is this product's own decision."""


_ROWS: tuple[tuple[StrEnum, Clause], ...] = (
    # why a request goes forward
    (Forwarded.BYPASS, Clause("the cache is passed by", "RFC 9211 §2.2")),
    (Forwarded.METHOD, Clause("the method is not one a cache answers", "RFC 9111 §4")),
    (Forwarded.URI_MISS, Clause("nothing is stored for this URI", "RFC 9111 §4")),
    (Forwarded.VARY_MISS, Clause("what is stored answers requests that differ in a field Vary names", "RFC 9111 §4.1")),
    (Forwarded.REQUEST, Clause("the request does not want this copy unasked", "RFC 9111 §5.2.1")),
    (Forwarded.STALE, Clause("the copy is no longer fresh and nothing allows it stale", "RFC 9111 §4.2.4")),
    (Forwarded.PARTIAL, Clause("only a part of what is asked for is stored", "RFC 9111 §3.3")),
    # what lies behind a hit
    (Detail.HEURISTIC, Clause("fresh by a guess: the origin gave no lifetime", "RFC 9111 §4.2.2")),
    (Detail.MAX_STALE, Clause("stale, and the request's max-stale allows that", "RFC 9111 §5.2.1.2")),
    (
        Detail.STALE_WHILE_REVALIDATE,
        Clause("stale, and allowed while it is validated in the background", "RFC 5861 §3"),
    ),
    (Detail.STALE_IF_ERROR, Clause("stale, and allowed since the origin fails", "RFC 5861 §4")),
    (Detail.STALE_ON_5XX, Clause("stale, and the operator prefers it to a server error", "RFC 9111 §4.2.4")),
    (Detail.DISCONNECTED, Clause("stale, and the origin cannot be reached", "RFC 9111 §4.2.4")),
    (Detail.OFFLINE, Clause("stale, and this proxy is offline", "RFC 9111 §4.2.4")),
    (Detail.REPLAY, Clause("from a recording, whatever its age", "ours")),
    (Detail.MEMENTO, Clause("the capture that stands for the time that Accept-Datetime asks for", "RFC 7089 §4.1.3")),
    (Detail.OVERRIDE_OFFLINE, Clause("the origin forbids it unasked, and the operator overrules that offline", "ours")),
    (Detail.SIGNED_STATUS, Clause("200 is kept since the origin's signature covers the status", "RFC 9421 §2.2.9")),
    # why a copy or the cache is passed by
    (
        Detail.AUTHORIZATION,
        Clause("the request is authorized and the copy is not marked as for everybody", "RFC 9111 §3.5"),
    ),
    (Detail.BYPASS_COOKIE, Clause("the request has a cookie that the operator lets pass the cache by", "ours")),
    (Detail.CONTENT_IN_REQUEST, Clause("a GET or HEAD with content is not for a cache", "RFC 9110 §9.3.1")),
    (Detail.HOST_MISMATCH, Clause("Host or the TLS name is not where the request goes", "RFC 9110 §7.4")),
    (Detail.INVALIDATED, Clause("the copy was marked out of date by a later request or answer", "RFC 9111 §4.4")),
    (Detail.NO_CLOCK, Clause("the clock of this machine is not set", "RFC 9111 §4")),
    (Detail.PRECONDITION, Clause("If-Match and If-Unmodified-Since are for the origin to judge", "RFC 9111 §4.3.2")),
    (Detail.RECORDING, Clause("a recording is made: the origin is asked whatever is stored", "ours")),
    (Detail.REQUEST_MAX_AGE, Clause("the copy is older than the request's max-age allows", "RFC 9111 §5.2.1.1")),
    (Detail.REQUEST_MIN_FRESH, Clause("the copy is not fresh for as long as min-fresh asks", "RFC 9111 §5.2.1.3")),
    (Detail.REQUEST_NO_CACHE, Clause("the request asks for validation", "RFC 9111 §5.2.1.4")),
    (Detail.REQUEST_NO_STORE, Clause("the request asks that nothing be stored", "RFC 9111 §5.2.1.5")),
    (Detail.RESPONSE_NO_CACHE, Clause("the origin asks for validation before every use", "RFC 9111 §5.2.2.4")),
    (Detail.UNKEYED_INPUT, Clause("the request has a field that origins go by and no key has", "RFC 9111 §7.1")),
    (Detail.RESPONSE_NO_STORE, Clause("the origin says no-store: kept for use offline alone", "RFC 9111 §5.2.2.5")),
    (Detail.SCRUBBED, Clause("a secret was taken out of the copy: kept for use offline alone", "ours")),
    (Detail.UPGRADE, Clause("the request asks for a WebSocket", "RFC 9110 §7.8")),
    # why a response is not stored
    (
        NotStored.AUTHORIZATION,
        Clause("its request was authorized and it is not marked as for everybody", "RFC 9111 §3.5"),
    ),
    (NotStored.BYPASSED, Clause("its request passed the cache by", "RFC 9111 §3")),
    (NotStored.CHALLENGE, Clause("it asks for another credential, and is no reason to lose what is stored", "ours")),
    (NotStored.CONTENT_TYPE, Clause("its media type contradicts the extension of its name", "RFC 9111 §7.3")),
    (NotStored.DICTIONARY_VARY, Clause("coded with a dictionary, and Vary does not say so", "RFC 9842 §6.2")),
    (NotStored.DIGEST_MISMATCH, Clause("it is not what its Repr-Digest says", "RFC 9530 §3")),
    (NotStored.INCOMPLETE, Clause("it ended short", "RFC 9111 §3.3")),
    (NotStored.METHOD, Clause("it answers a method whose answers are not stored", "RFC 9111 §3")),
    (NotStored.MUST_UNDERSTAND, Clause("must-understand, and its status is not understood here", "RFC 9111 §5.2.2.3")),
    (NotStored.NEVER_REUSABLE, Clause("it has neither a lifetime nor a validator", "RFC 9111 §3")),
    (NotStored.NO_STORE, Clause("the origin says no-store", "RFC 9111 §5.2.2.5")),
    (NotStored.ODD_REQUEST, Clause("an odd request provoked the error", "RFC 9111 §7.1")),
    (NotStored.OVERTAKEN, Clause("purged while it was on its way", "ours")),
    (NotStored.PARTIAL, Clause("it is a part that cannot be kept", "RFC 9111 §3.3")),
    (NotStored.PARTIAL_UNASKED, Clause("a part that nobody asked for", "RFC 9110 §15.3.7")),
    (NotStored.PRIVATE, Clause("the origin says private", "RFC 9111 §5.2.2.7")),
    (NotStored.REQUEST_NO_STORE, Clause("the request asks that nothing be stored", "RFC 9111 §5.2.1.5")),
    (NotStored.SET_COOKIE, Clause("it sets cookies and has no explicit lifetime", "RFC 9111 §7.3")),
    (NotStored.STATUS, Clause("its status is stored only with an explicit lifetime, or never", "RFC 9110 §15.1")),
    (NotStored.STREAM, Clause("a stream of events has no end worth waiting for", "ours")),
    (NotStored.STORE_FAILED, Clause("the store could not take it", "ours")),
    (NotStored.TOO_LARGE, Clause("it is larger than store.max_object", "ours")),
    (NotStored.UNSCRUBBABLE, Clause("it may hold secrets, and is no JSON that can be read whole", "ours")),
    (NotStored.UNVERIFIED, Clause("nobody verified who sent it", "RFC 9110 §4.3.4")),
    # why this proxy answers with an error
    (Refused.ACCEPT_DATETIME, Clause("Accept-Datetime is no date", "RFC 7089 §2.1.1")),
    (Refused.CONNECTIONS, Clause("its client has as many connections as it may, or the proxy as it can", "ours")),
    (
        Refused.CONNECT_PORT,
        Clause("strangers get tunnels to the ports of origin.connect_ports only", "RFC 9110 §9.3.6"),
    ),
    (Refused.FETCH_FAILED, Clause("the origin gave no answer and nothing usable is stored", "RFC 9110 §15.6")),
    (Refused.GAVE_UP, Clause("several exchanges came to nothing", "ours")),
    (Refused.LAST_HOP, Clause("Max-Forwards says that it goes no further", "RFC 9110 §7.6.2")),
    (Refused.LOOP, Clause("the request came through this proxy before", "RFC 9110 §7.6.3")),
    (Refused.MALFORMED_REQUEST, Clause("the request cannot be sent as it is", "RFC 9112 §3")),
    (Refused.OFFLINE, Clause("this proxy is offline and has nothing that may answer", "RFC 9111 §4.2.4")),
    (Refused.ONLY_IF_CACHED, Clause("only-if-cached, and nothing stored may answer", "RFC 9111 §5.2.1.7")),
    (Refused.REPLAY, Clause("a recording is replayed and has nothing that may answer", "ours")),
    (Refused.STALE_FORBIDDEN, Clause("the origin gave no answer and forbids its copy stale", "RFC 9111 §5.2.2.2")),
    (Refused.STRICT_HOST, Clause("Host or the TLS name is not where the request goes", "RFC 9110 §7.4")),
    (Refused.TARGET, Clause("strangers are not led to origin.refused_targets", "RFC 9110 §17.2")),
    (Refused.TRACE, Clause("TRACE is not answered", "RFC 9110 §9.3.8")),
    (Refused.UNEXPECTED_304, Clause("the origin said 304 where nothing was conditional", "RFC 9110 §15.4.5")),
    # why octets were dropped
    (Dropped.CONTENT_IN_204, Clause("a 204 has no content", "RFC 9110 §15.3.5")),
    (Dropped.CONTENT_IN_205, Clause("a 205 has no content", "RFC 9110 §15.3.6")),
    (Dropped.CONTENT_IN_304, Clause("a 304 has no content", "RFC 9110 §15.4.5")),
)

# two enums may use one name, and equal strings are one key
_CLAUSES = {(type(reason), str(reason)): clause for reason, clause in _ROWS}


def clause(reason: StrEnum) -> Clause:
    """Return what a reason means. Every reason has a row."""
    return _CLAUSES[type(reason), str(reason)]
