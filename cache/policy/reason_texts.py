"""A sentence and a clause for every reason. `secondhand why` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.policy.reasons import (
    Detail,
    Disconnected,
    Dropped,
    Forwarded,
    NotCompressed,
    NotStored,
    Refused,
    StreamReset,
)


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The meaning of a reason."""

    sentence: str
    source: str
    """The section of the standard, or `ours` for a rule of this project."""


_ROWS: tuple[tuple[StrEnum, ReasonText], ...] = (
    # why a request goes forward
    (Forwarded.BYPASS, ReasonText("the request bypasses the cache", "RFC 9211 §2.2")),
    (Forwarded.METHOD, ReasonText("a cache does not answer this method", "RFC 9111 §4")),
    (Forwarded.URI_MISS, ReasonText("nothing is stored for this URI", "RFC 9111 §4")),
    (
        Forwarded.VARY_MISS,
        ReasonText("the stored responses are for other values of the fields in Vary", "RFC 9111 §4.1"),
    ),
    (Forwarded.REQUEST, ReasonText("the request does not allow this copy without validation", "RFC 9111 §5.2.1")),
    (Forwarded.STALE, ReasonText("the copy is stale, and nothing allows a stale response", "RFC 9111 §4.2.4")),
    (Forwarded.PARTIAL, ReasonText("only a part of the requested content is stored", "RFC 9111 §3.3")),
    # why a copy may be used that is not simply fresh
    (Detail.HEURISTIC, ReasonText("fresh by a heuristic lifetime: the origin gave none", "RFC 9111 §4.2.2")),
    (Detail.RULE, ReasonText("fresh by the lifetime that a rule of the site gives", "ours")),
    (Detail.MAX_STALE, ReasonText("stale, but the request allows it by max-stale", "RFC 9111 §5.2.1.2")),
    (Detail.SOFT_PURGED, ReasonText("purged softly: sent once more while it is validated in the background", "ours")),
    (
        Detail.STALE_WHILE_REVALIDATE,
        ReasonText("stale, but allowed while it is validated in the background", "RFC 5861 §3"),
    ),
    (Detail.STALE_IF_ERROR, ReasonText("stale, but allowed because the origin failed", "RFC 5861 §4")),
    (Detail.STALE_ON_5XX, ReasonText("stale, but the operator prefers it to a server error", "RFC 9111 §4.2.4")),
    (Detail.DISCONNECTED, ReasonText("stale, but the origin cannot be reached", "RFC 9111 §4.2.4")),
    (Detail.OFFLINE, ReasonText("stale, but this proxy is offline", "RFC 9111 §4.2.4")),
    (Detail.REPLAY, ReasonText("from a recording, whatever its age", "ours")),
    (Detail.MEMENTO, ReasonText("the stored state of the time in Accept-Datetime", "RFC 7089 §4.1.3")),
    (
        Detail.HEAD_OF_PART,
        ReasonText(
            "only a part is stored, and its head answers HEAD while the origin is not asked", "RFC 9110 §15.3.7"
        ),
    ),
    (
        Detail.OVERRIDE_OFFLINE,
        ReasonText("the origin requires validation, but the operator allows the copy offline", "ours"),
    ),
    (
        Detail.SIGNED_STATUS,
        ReasonText("200 is kept because the origin's signature covers the status", "RFC 9421 §2.2.9"),
    ),
    # why a copy or the whole cache is not used
    (
        Detail.AUTHORIZATION,
        ReasonText("the request is authorized, and the copy is not marked as shareable", "RFC 9111 §3.5"),
    ),
    (Detail.BYPASS_COOKIE, ReasonText("the request has a cookie that bypasses the cache by a setting", "ours")),
    (Detail.BYPASS_RULE, ReasonText("a rule of the site says that requests for this path bypass the cache", "ours")),
    (Detail.CONTENT_IN_REQUEST, ReasonText("a cache does not answer a GET or HEAD with content", "RFC 9110 §9.3.1")),
    (Detail.HOST_MISMATCH, ReasonText("Host or the TLS server name differs from the target", "RFC 9110 §7.4")),
    (Detail.INVALIDATED, ReasonText("a later request or response invalidated the copy", "RFC 9111 §4.4")),
    (Detail.LENIENT_ORIGIN, ReasonText("the response has mistakes that only origin.lenient allows", "RFC 9112 §11")),
    (Detail.NO_CLOCK, ReasonText("the clock of this machine is not set", "RFC 9111 §4")),
    (Detail.PRECONDITION, ReasonText("only the origin evaluates If-Match and If-Unmodified-Since", "RFC 9111 §4.3.2")),
    (Detail.RECORDING, ReasonText("a recording is being made, so every request is forwarded", "ours")),
    (Detail.REQUEST_MAX_AGE, ReasonText("the copy is older than max-age in the request allows", "RFC 9111 §5.2.1.1")),
    (
        Detail.REQUEST_MIN_FRESH,
        ReasonText("the copy is not fresh for as long as min-fresh in the request demands", "RFC 9111 §5.2.1.3"),
    ),
    (Detail.REQUEST_NO_CACHE, ReasonText("the request demands validation", "RFC 9111 §5.2.1.4")),
    (Detail.REQUEST_NO_STORE, ReasonText("the request forbids storing", "RFC 9111 §5.2.1.5")),
    (Detail.RESPONSE_NO_CACHE, ReasonText("the origin demands validation before every use", "RFC 9111 §5.2.2.4")),
    (
        Detail.UNKEYED_INPUT,
        ReasonText("the request has a field that can change the response and is in no cache key", "RFC 9111 §7.1"),
    ),
    (
        Detail.RESPONSE_NO_STORE,
        ReasonText("the origin says no-store: the copy is for offline use only", "RFC 9111 §5.2.2.5"),
    ),
    (Detail.SCRUBBED, ReasonText("a secret was removed from the copy: it is for offline use only", "ours")),
    (Detail.STORE_AWAY, ReasonText("the store that this node shares with others cannot be used now", "ours")),
    (
        Detail.TOO_MANY_VARIANTS,
        ReasonText("nothing stored matches, and the URL has as many variants as are stored", "RFC 9110 §17.5"),
    ),
    (Detail.UPGRADE, ReasonText("the request asks for a WebSocket", "RFC 9110 §7.8")),
    # why a response is not stored
    (
        NotStored.AUTHORIZATION,
        ReasonText("its request was authorized, and it is not marked as shareable", "RFC 9111 §3.5"),
    ),
    (NotStored.BYPASSED, ReasonText("its request bypassed the cache", "RFC 9111 §3")),
    (NotStored.CHALLENGE, ReasonText("it asks for another credential, and must not replace a stored response", "ours")),
    (NotStored.CONTENT_TYPE, ReasonText("its media type contradicts the extension of its path", "RFC 9111 §7.3")),
    (
        NotStored.DICTIONARY_VARY,
        ReasonText("it is compressed with a dictionary, but Vary does not name the fields for that", "RFC 9842 §6.2"),
    ),
    (NotStored.DIGEST_MISMATCH, ReasonText("its content contradicts its Repr-Digest", "RFC 9530 §3")),
    (NotStored.INCOMPLETE, ReasonText("it is incomplete", "RFC 9111 §3.3")),
    (NotStored.LENIENT_ORIGIN, ReasonText("it has mistakes that only origin.lenient allows", "RFC 9112 §11")),
    (NotStored.METHOD, ReasonText("responses to this method are not stored", "RFC 9111 §3")),
    (
        NotStored.MUST_UNDERSTAND,
        ReasonText("it has must-understand, and this cache does not understand its status", "RFC 9111 §5.2.2.3"),
    ),
    (NotStored.NEVER_REUSABLE, ReasonText("it has neither a lifetime nor a validator", "RFC 9111 §3")),
    (NotStored.NO_STORE, ReasonText("the origin says no-store", "RFC 9111 §5.2.2.5")),
    (NotStored.ODD_REQUEST, ReasonText("it is an error that an unusual request may have provoked", "RFC 9111 §7.1")),
    (NotStored.OVERTAKEN, ReasonText("it was purged or replaced while it was being stored", "ours")),
    (NotStored.PARTIAL, ReasonText("it is a part that cannot be stored", "RFC 9111 §3.3")),
    (NotStored.PARTIAL_UNASKED, ReasonText("it is a part, but the request asked for no range", "RFC 9110 §15.3.7")),
    (NotStored.PRIVATE, ReasonText("the origin says private", "RFC 9111 §5.2.2.7")),
    (NotStored.REQUEST_NO_STORE, ReasonText("the request forbids storing", "RFC 9111 §5.2.1.5")),
    (NotStored.RULE, ReasonText("a rule of the site says that such responses are not stored", "ours")),
    (NotStored.SET_COOKIE, ReasonText("it sets cookies, and cache.set_cookie forbids storing it", "RFC 9111 §7.3")),
    (NotStored.STATUS, ReasonText("its status is stored only with an explicit lifetime, or never", "RFC 9110 §15.1")),
    (NotStored.STREAM, ReasonText("it is a stream, which has no end", "ours")),
    (NotStored.STORE_FAILED, ReasonText("the store could not write it", "ours")),
    (NotStored.TOO_LARGE, ReasonText("it is larger than store.max_object", "ours")),
    (NotStored.TOO_MANY_TAGS, ReasonText("it has more or longer cache tags than it could be purged by", "ours")),
    (
        NotStored.TOO_MANY_VARIANTS,
        ReasonText("as many variants of its URL are stored as may be, the last one just now", "RFC 9110 §17.5"),
    ),
    (
        NotStored.UNKEYED_INPUT,
        ReasonText("its request has a field that can have changed it, and that is in no cache key", "RFC 9111 §7.1"),
    ),
    (NotStored.UNSCRUBBABLE, ReasonText("it may contain secrets, but cannot be parsed as JSON", "ours")),
    (NotStored.UNVERIFIED, ReasonText("the TLS certificate of the origin was not verified", "RFC 9110 §4.3.4")),
    # why a stored response is not compressed
    (NotCompressed.BUSY, ReasonText("too many others wait to be compressed", "ours")),
    (NotCompressed.CODED, ReasonText("the origin has chosen its content coding", "RFC 9110 §8.4")),
    (NotCompressed.CONTENT_TYPE, ReasonText("codings.content_types does not list its media type", "ours")),
    (NotCompressed.DIGEST, ReasonText("it has a digest or a signature of the bytes as they are", "RFC 9530 §3")),
    (NotCompressed.KEPT_AS_RECEIVED, ReasonText("it is part of a recording, or one of several captures", "ours")),
    (NotCompressed.NO_TRANSFORM, ReasonText("the origin says no-transform", "RFC 9111 §5.2.2.6")),
    (NotCompressed.NOT_SMALLER, ReasonText("compression hardly makes it shorter", "ours")),
    (NotCompressed.OVERTAKEN, ReasonText("it was purged or replaced meanwhile", "ours")),
    (NotCompressed.PARTIAL, ReasonText("only a part of it is stored", "RFC 9111 §3.3")),
    (NotCompressed.PERSONAL, ReasonText("it may be for one client, and its length must not tell its secrets", "ours")),
    (NotCompressed.STATUS, ReasonText("only a 200 to GET that can be used again is compressed", "ours")),
    (NotCompressed.STORE_FAILED, ReasonText("the store could not read it, or could not write the form", "ours")),
    (NotCompressed.STREAM, ReasonText("it is a stream", "ours")),
    (NotCompressed.TOO_LARGE, ReasonText("it is larger than 32 MiB", "ours")),
    (NotCompressed.TOO_SMALL, ReasonText("it is smaller than codings.min_size", "ours")),
    # why this proxy sends an error
    (Refused.ACCEPT_DATETIME, ReasonText("Accept-Datetime is not a date", "RFC 7089 §2.1.1")),
    (Refused.CONNECTIONS, ReasonText("the client or the proxy has reached its limit of connections", "ours")),
    (
        Refused.CONNECT_PORT,
        ReasonText("clients get tunnels only to the ports in origin.connect_ports", "RFC 9110 §9.3.6"),
    ),
    (
        Refused.FETCH_FAILED,
        ReasonText("the origin sent no response, and no stored response may be used", "RFC 9110 §15.6"),
    ),
    (Refused.GAVE_UP, ReasonText("several attempts brought no usable response", "ours")),
    (Refused.LAST_HOP, ReasonText("Max-Forwards does not allow it to be forwarded", "RFC 9110 §7.6.2")),
    (Refused.LOOP, ReasonText("the request came through this proxy before", "RFC 9110 §7.6.3")),
    (Refused.MALFORMED_REQUEST, ReasonText("the request is malformed and cannot be forwarded", "RFC 9112 §3")),
    (Refused.METHOD, ReasonText("an edge forwards registered methods only", "RFC 9110 §16.1.1")),
    (Refused.OFFLINE, ReasonText("this proxy is offline, and no stored response may be used", "RFC 9111 §4.2.4")),
    (
        Refused.ONLY_IF_CACHED,
        ReasonText("the request has only-if-cached, and no stored response may be used", "RFC 9111 §5.2.1.7"),
    ),
    (Refused.PURGE, ReasonText("the client may not purge copies", "ours")),
    (Refused.REPLAY, ReasonText("a recording is being replayed, and it has no response that may be used", "ours")),
    (
        Refused.SERVER_NAME,
        ReasonText("the connection is for another site, whose certificate is not for the host", "RFC 9110 §7.4"),
    ),
    (Refused.SET_UP_PAGE, ReasonText("the request is for the set-up page of this proxy", "ours")),
    (
        Refused.STALE_FORBIDDEN,
        ReasonText("the origin sent no response, and its copy must not be used unvalidated", "RFC 9111 §5.2.2.2"),
    ),
    (Refused.STRICT_HOST, ReasonText("Host or the TLS server name differs from the target", "RFC 9110 §7.4")),
    (
        Refused.TARGET,
        ReasonText("clients may reach neither the hosts in origin.refused_targets nor the admin API", "RFC 9110 §17.2"),
    ),
    (Refused.TRACE, ReasonText("this proxy does not answer TRACE", "RFC 9110 §9.3.8")),
    (
        Refused.TUNNEL_PROTOCOL,
        ReasonText("an extended CONNECT asks for another protocol than WebSocket", "RFC 8441 §4"),
    ),
    (Refused.UNEXPECTED_304, ReasonText("the origin sent 304 to a request without preconditions", "RFC 9110 §15.4.5")),
    (Refused.METHOD_NOT_ALLOWED, ReasonText("a rule of the site does not allow the method", "RFC 9110 §15.5.6")),
    (Refused.CONTENT_TOO_LARGE, ReasonText("a rule of the site does not allow so much content", "RFC 9110 §15.5.14")),
    (Refused.CREDENTIALS, ReasonText("a rule of the site asks for a name and a password", "RFC 7617 §2")),
    (Refused.PASSWORDS, ReasonText("too many names and passwords wait to be checked", "RFC 9110 §15.6.4")),
    (Refused.RATE, ReasonText("the client has sent more requests than a rule of the site allows", "RFC 6585 §4")),
    (Refused.REDIRECT, ReasonText("the site sends clients to another URL", "RFC 9110 §15.4")),
    (Refused.UNKNOWN_HOST, ReasonText("no site of this edge serves the host of the request", "RFC 9110 §15.5.20")),
    # why an HTTP/2 connection was ended
    (
        Disconnected.HTTP2_CONTINUATIONS,
        ReasonText("a header block had too many CONTINUATION frames or bytes", "RFC 9113 §10.5"),
    ),
    (
        Disconnected.HTTP2_CONTROL_FRAMES,
        ReasonText("the client sent too many frames that carry no request and no content", "RFC 9113 §10.5"),
    ),
    (Disconnected.HTTP2_HEADER_LIST, ReasonText("a decoded header list was too large", "RFC 9113 §10.5.1")),
    (Disconnected.HTTP2_PROTOCOL, ReasonText("the client broke the rules of HTTP/2", "RFC 9113 §5.4.1")),
    (
        Disconnected.HTTP2_RESETS,
        ReasonText("the client had too many streams reset, refused or malformed", "RFC 9113 §10.5"),
    ),
    # why a connection was ended before it began
    (
        Disconnected.NOT_TRUSTED,
        ReasonText("with proxy_protocol, only the proxies in trusted_proxies may connect", "ours"),
    ),
    (Disconnected.PROXY_PROTOCOL, ReasonText("the header of the PROXY protocol was malformed", "ours")),
    # why one request over HTTP/2 was refused or ended
    (StreamReset.HTTP2_HEADS, ReasonText("the heads of the client's open requests were too large", "RFC 9113 §10.5")),
    (StreamReset.HTTP2_TOO_SLOW, ReasonText("the client sent or read too slowly", "RFC 9113 §10.5")),
    (
        StreamReset.HTTP2_UNREAD,
        ReasonText("the client did not read this response and asked for others", "RFC 9113 §10.5"),
    ),
    (
        StreamReset.HTTP2_UPLOAD_HELD,
        ReasonText("the origin did not take content that held the window of other requests", "RFC 9113 §10.5"),
    ),
    # why content was dropped
    (Dropped.CONTENT_IN_204, ReasonText("a 204 has no content", "RFC 9110 §15.3.5")),
    (Dropped.CONTENT_IN_205, ReasonText("a 205 has no content", "RFC 9110 §15.3.6")),
    (Dropped.CONTENT_IN_304, ReasonText("a 304 has no content", "RFC 9110 §15.4.5")),
)

# two enums may have members with the same string, so the type is a part of the key
_CLAUSES = {(type(reason), str(reason)): text_of for reason, text_of in _ROWS}


def text_of(reason: StrEnum) -> ReasonText:
    """Return the sentence and the clause for a reason. Every reason has a row."""
    return _CLAUSES[type(reason), str(reason)]
