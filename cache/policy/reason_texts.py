"""A sentence and a clause for every reason. `secondhand why` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.policy.reasons import Detail, Dropped, Forwarded, NotStored, Refused


@dataclass(frozen=True, slots=True)
class Clause:
    """The meaning of a reason."""

    sentence: str
    source: str
    """The section of the standard, or `ours` for a rule of this project."""


_ROWS: tuple[tuple[StrEnum, Clause], ...] = (
    # why a request goes forward
    (Forwarded.BYPASS, Clause("the request bypasses the cache", "RFC 9211 §2.2")),
    (Forwarded.METHOD, Clause("a cache does not answer this method", "RFC 9111 §4")),
    (Forwarded.URI_MISS, Clause("nothing is stored for this URI", "RFC 9111 §4")),
    (Forwarded.VARY_MISS, Clause("the stored responses are for other values of the fields in Vary", "RFC 9111 §4.1")),
    (Forwarded.REQUEST, Clause("the request does not allow this copy without validation", "RFC 9111 §5.2.1")),
    (Forwarded.STALE, Clause("the copy is stale, and nothing allows a stale response", "RFC 9111 §4.2.4")),
    (Forwarded.PARTIAL, Clause("only a part of the requested content is stored", "RFC 9111 §3.3")),
    # why a copy may be used that is not simply fresh
    (Detail.HEURISTIC, Clause("fresh by a heuristic lifetime: the origin gave none", "RFC 9111 §4.2.2")),
    (Detail.MAX_STALE, Clause("stale, but the request allows it by max-stale", "RFC 9111 §5.2.1.2")),
    (
        Detail.STALE_WHILE_REVALIDATE,
        Clause("stale, but allowed while it is validated in the background", "RFC 5861 §3"),
    ),
    (Detail.STALE_IF_ERROR, Clause("stale, but allowed because the origin failed", "RFC 5861 §4")),
    (Detail.STALE_ON_5XX, Clause("stale, but the operator prefers it to a server error", "RFC 9111 §4.2.4")),
    (Detail.DISCONNECTED, Clause("stale, but the origin cannot be reached", "RFC 9111 §4.2.4")),
    (Detail.OFFLINE, Clause("stale, but this proxy is offline", "RFC 9111 §4.2.4")),
    (Detail.REPLAY, Clause("from a recording, whatever its age", "ours")),
    (Detail.MEMENTO, Clause("the stored state of the time in Accept-Datetime", "RFC 7089 §4.1.3")),
    (
        Detail.OVERRIDE_OFFLINE,
        Clause("the origin requires validation, but the operator allows the copy offline", "ours"),
    ),
    (Detail.SIGNED_STATUS, Clause("200 is kept because the origin's signature covers the status", "RFC 9421 §2.2.9")),
    # why a copy or the whole cache is not used
    (
        Detail.AUTHORIZATION,
        Clause("the request is authorized, and the copy is not marked as shareable", "RFC 9111 §3.5"),
    ),
    (Detail.BYPASS_COOKIE, Clause("the request has a cookie that bypasses the cache by a setting", "ours")),
    (Detail.CONTENT_IN_REQUEST, Clause("a cache does not answer a GET or HEAD with content", "RFC 9110 §9.3.1")),
    (Detail.HOST_MISMATCH, Clause("Host or the TLS server name differs from the target", "RFC 9110 §7.4")),
    (Detail.INVALIDATED, Clause("a later request or response invalidated the copy", "RFC 9111 §4.4")),
    (Detail.NO_CLOCK, Clause("the clock of this machine is not set", "RFC 9111 §4")),
    (Detail.PRECONDITION, Clause("only the origin evaluates If-Match and If-Unmodified-Since", "RFC 9111 §4.3.2")),
    (Detail.RECORDING, Clause("a recording is being made, so every request is forwarded", "ours")),
    (Detail.REQUEST_MAX_AGE, Clause("the copy is older than max-age in the request allows", "RFC 9111 §5.2.1.1")),
    (
        Detail.REQUEST_MIN_FRESH,
        Clause("the copy is not fresh for as long as min-fresh in the request demands", "RFC 9111 §5.2.1.3"),
    ),
    (Detail.REQUEST_NO_CACHE, Clause("the request demands validation", "RFC 9111 §5.2.1.4")),
    (Detail.REQUEST_NO_STORE, Clause("the request forbids storing", "RFC 9111 §5.2.1.5")),
    (Detail.RESPONSE_NO_CACHE, Clause("the origin demands validation before every use", "RFC 9111 §5.2.2.4")),
    (
        Detail.UNKEYED_INPUT,
        Clause("the request has a field that can change the response and is in no cache key", "RFC 9111 §7.1"),
    ),
    (
        Detail.RESPONSE_NO_STORE,
        Clause("the origin says no-store: the copy is for offline use only", "RFC 9111 §5.2.2.5"),
    ),
    (Detail.SCRUBBED, Clause("a secret was removed from the copy: it is for offline use only", "ours")),
    (Detail.UPGRADE, Clause("the request asks for a WebSocket", "RFC 9110 §7.8")),
    # why a response is not stored
    (NotStored.AUTHORIZATION, Clause("its request was authorized, and it is not marked as shareable", "RFC 9111 §3.5")),
    (NotStored.BYPASSED, Clause("its request bypassed the cache", "RFC 9111 §3")),
    (NotStored.CHALLENGE, Clause("it asks for another credential, and must not replace a stored response", "ours")),
    (NotStored.CONTENT_TYPE, Clause("its media type contradicts the extension of its path", "RFC 9111 §7.3")),
    (
        NotStored.DICTIONARY_VARY,
        Clause("it is compressed with a dictionary, but Vary does not name the fields for that", "RFC 9842 §6.2"),
    ),
    (NotStored.DIGEST_MISMATCH, Clause("its content contradicts its Repr-Digest", "RFC 9530 §3")),
    (NotStored.INCOMPLETE, Clause("it is incomplete", "RFC 9111 §3.3")),
    (NotStored.METHOD, Clause("responses to this method are not stored", "RFC 9111 §3")),
    (
        NotStored.MUST_UNDERSTAND,
        Clause("it has must-understand, and this cache does not understand its status", "RFC 9111 §5.2.2.3"),
    ),
    (NotStored.NEVER_REUSABLE, Clause("it has neither a lifetime nor a validator", "RFC 9111 §3")),
    (NotStored.NO_STORE, Clause("the origin says no-store", "RFC 9111 §5.2.2.5")),
    (NotStored.ODD_REQUEST, Clause("it is an error that an unusual request may have provoked", "RFC 9111 §7.1")),
    (NotStored.OVERTAKEN, Clause("it was purged or replaced while it was being stored", "ours")),
    (NotStored.PARTIAL, Clause("it is a part that cannot be stored", "RFC 9111 §3.3")),
    (NotStored.PARTIAL_UNASKED, Clause("it is a part, but the request asked for no range", "RFC 9110 §15.3.7")),
    (NotStored.PRIVATE, Clause("the origin says private", "RFC 9111 §5.2.2.7")),
    (NotStored.REQUEST_NO_STORE, Clause("the request forbids storing", "RFC 9111 §5.2.1.5")),
    (NotStored.SET_COOKIE, Clause("it sets cookies and has no explicit lifetime", "RFC 9111 §7.3")),
    (NotStored.STATUS, Clause("its status is stored only with an explicit lifetime, or never", "RFC 9110 §15.1")),
    (NotStored.STREAM, Clause("it is an event stream, which has no end", "ours")),
    (NotStored.STORE_FAILED, Clause("the store could not write it", "ours")),
    (NotStored.TOO_LARGE, Clause("it is larger than store.max_object", "ours")),
    (NotStored.UNSCRUBBABLE, Clause("it may contain secrets, but cannot be parsed as JSON", "ours")),
    (NotStored.UNVERIFIED, Clause("the TLS certificate of the origin was not verified", "RFC 9110 §4.3.4")),
    # why this proxy sends an error
    (Refused.ACCEPT_DATETIME, Clause("Accept-Datetime is not a date", "RFC 7089 §2.1.1")),
    (Refused.CONNECTIONS, Clause("the client or the proxy has reached its limit of connections", "ours")),
    (Refused.CONNECT_PORT, Clause("clients get tunnels only to the ports in origin.connect_ports", "RFC 9110 §9.3.6")),
    (Refused.FETCH_FAILED, Clause("the origin sent no response, and no stored response may be used", "RFC 9110 §15.6")),
    (Refused.GAVE_UP, Clause("several attempts brought no usable response", "ours")),
    (Refused.LAST_HOP, Clause("Max-Forwards does not allow it to be forwarded", "RFC 9110 §7.6.2")),
    (Refused.LOOP, Clause("the request came through this proxy before", "RFC 9110 §7.6.3")),
    (Refused.MALFORMED_REQUEST, Clause("the request is malformed and cannot be forwarded", "RFC 9112 §3")),
    (Refused.OFFLINE, Clause("this proxy is offline, and no stored response may be used", "RFC 9111 §4.2.4")),
    (
        Refused.ONLY_IF_CACHED,
        Clause("the request has only-if-cached, and no stored response may be used", "RFC 9111 §5.2.1.7"),
    ),
    (Refused.REPLAY, Clause("a recording is being replayed, and it has no response that may be used", "ours")),
    (
        Refused.STALE_FORBIDDEN,
        Clause("the origin sent no response, and forbids the use of its copy when stale", "RFC 9111 §5.2.2.2"),
    ),
    (Refused.STRICT_HOST, Clause("Host or the TLS server name differs from the target", "RFC 9110 §7.4")),
    (Refused.TARGET, Clause("clients may not reach the hosts in origin.refused_targets", "RFC 9110 §17.2")),
    (Refused.TRACE, Clause("this proxy does not answer TRACE", "RFC 9110 §9.3.8")),
    (Refused.UNEXPECTED_304, Clause("the origin sent 304 to a request without preconditions", "RFC 9110 §15.4.5")),
    # why content was dropped
    (Dropped.CONTENT_IN_204, Clause("a 204 has no content", "RFC 9110 §15.3.5")),
    (Dropped.CONTENT_IN_205, Clause("a 205 has no content", "RFC 9110 §15.3.6")),
    (Dropped.CONTENT_IN_304, Clause("a 304 has no content", "RFC 9110 §15.4.5")),
)

# two enums may have members with the same string, so the type is a part of the key
_CLAUSES = {(type(reason), str(reason)): clause for reason, clause in _ROWS}


def clause(reason: StrEnum) -> Clause:
    """Return the sentence and the clause for a reason. Every reason has a row."""
    return _CLAUSES[type(reason), str(reason)]
