"""The names of all reasons, as used in logs, counters, Cache-Status `detail` and the command line."""

from __future__ import annotations

from enum import StrEnum


class Forwarded(StrEnum):
    """Reasons why a request was forwarded: the `fwd` of Cache-Status (RFC 9211 §2.2)."""

    BYPASS = "bypass"
    METHOD = "method"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    REQUEST = "request"
    STALE = "stale"
    PARTIAL = "partial"


class Detail(StrEnum):
    """More about a hit or a forwarded request: the `detail` of Cache-Status (RFC 9211 §2.8)."""

    # why a copy may be used that is not simply fresh
    HEURISTIC = "heuristic"
    RULE = "rule"
    MAX_STALE = "max-stale"
    SOFT_PURGED = "soft-purged"
    STALE_WHILE_REVALIDATE = "stale-while-revalidate"
    STALE_IF_ERROR = "stale-if-error"
    STALE_ON_5XX = "stale-on-5xx"
    DISCONNECTED = "disconnected"
    OFFLINE = "offline"
    REPLAY = "replay"
    MEMENTO = "memento"
    HEAD_OF_PART = "head-of-part"
    OVERRIDE_OFFLINE = "override-offline"
    # why 200 is sent instead of 203
    SIGNED_STATUS = "signed-status"
    # why a copy or the whole cache is not used
    AUTHORIZATION = "authorization"
    BYPASS_COOKIE = "bypass-cookie"
    BYPASS_RULE = "bypass-rule"
    CONTENT_IN_REQUEST = "content-in-request"
    HOST_MISMATCH = "host-mismatch"
    INVALIDATED = "invalidated"
    LENIENT_ORIGIN = "lenient-origin"
    NO_CLOCK = "no-clock"
    PRECONDITION = "precondition"
    RECORDING = "recording"
    REQUEST_MAX_AGE = "request-max-age"
    REQUEST_MIN_FRESH = "request-min-fresh"
    REQUEST_NO_CACHE = "request-no-cache"
    REQUEST_NO_STORE = "request-no-store"
    UNKEYED_INPUT = "unkeyed-input"
    RESPONSE_NO_CACHE = "no-cache"
    RESPONSE_NO_STORE = "no-store"
    SCRUBBED = "scrubbed"
    STORE_AWAY = "store-away"
    TOO_MANY_VARIANTS = "too-many-variants"
    UPGRADE = "upgrade"


class NotStored(StrEnum):
    """Reasons why a response was relayed but not stored."""

    AUTHORIZATION = "authorization"
    BYPASSED = "bypassed"
    CHALLENGE = "challenge"
    CONTENT_TYPE = "content-type"
    DICTIONARY_VARY = "dictionary-vary"
    DIGEST_MISMATCH = "digest-mismatch"
    INCOMPLETE = "incomplete"
    LENIENT_ORIGIN = "lenient-origin"
    METHOD = "method"
    MUST_UNDERSTAND = "must-understand"
    NEVER_REUSABLE = "never-reusable"
    NO_STORE = "no-store"
    ODD_REQUEST = "odd-request"
    OVERTAKEN = "overtaken"
    """Purged or replaced while it was being stored."""
    PARTIAL = "partial"
    PARTIAL_UNASKED = "partial-unasked"
    PRIVATE = "private"
    REQUEST_NO_STORE = "request-no-store"
    RULE = "rule"
    SET_COOKIE = "set-cookie"
    STATUS = "status"
    STREAM = "stream"
    STORE_FAILED = "store-failed"
    TOO_LARGE = "too-large"
    TOO_MANY_TAGS = "too-many-tags"
    TOO_MANY_VARIANTS = "too-many-variants"
    UNKEYED_INPUT = "unkeyed-input"
    UNSCRUBBABLE = "unscrubbable"
    UNVERIFIED = "unverified"


class NotCompressed(StrEnum):
    """Reasons why no coded forms of a stored response were made."""

    BUSY = "busy"
    CODED = "coded"
    CONTENT_TYPE = "content-type"
    DIGEST = "digest"
    KEPT_AS_RECEIVED = "kept-as-received"
    NO_TRANSFORM = "no-transform"
    NOT_SMALLER = "not-smaller"
    OVERTAKEN = "overtaken"
    PARTIAL = "partial"
    PERSONAL = "personal"
    STATUS = "status"
    STORE_FAILED = "store-failed"
    STREAM = "stream"
    TOO_LARGE = "too-large"
    TOO_SMALL = "too-small"


class Refused(StrEnum):
    """Reasons why this proxy sent an error that it generated."""

    ACCEPT_DATETIME = "accept-datetime"
    CONNECTIONS = "connections"
    CONNECT_PORT = "connect-port"
    CONTENT_TOO_LARGE = "content-too-large"
    CREDENTIALS = "credentials"
    FETCH_FAILED = "fetch-failed"
    GAVE_UP = "gave-up"
    LAST_HOP = "last-hop"
    LOOP = "proxy-loop-detected"
    MALFORMED_REQUEST = "malformed-request"
    METHOD = "method"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    OFFLINE = "offline"
    ONLY_IF_CACHED = "only-if-cached"
    PASSWORDS = "passwords"
    PURGE = "purge"
    RATE = "rate"
    REDIRECT = "redirect"
    REPLAY = "replay"
    SERVER_NAME = "server-name"
    SET_UP_PAGE = "set-up-page"
    STALE_FORBIDDEN = "stale-forbidden"
    STRICT_HOST = "strict-host"
    TARGET = "target"
    TRACE = "trace"
    TUNNEL_PROTOCOL = "tunnel-protocol"
    UNEXPECTED_304 = "unexpected-304"
    UNKNOWN_HOST = "unknown-host"


class Disconnected(StrEnum):
    """Reasons why this proxy ended the connection of a client that broke a rule or a limit, without a response."""

    HTTP2_CONTINUATIONS = "http2-continuations"
    HTTP2_CONTROL_FRAMES = "http2-control-frames"
    HTTP2_HEADER_LIST = "http2-header-list"
    HTTP2_PROTOCOL = "http2-protocol"
    HTTP2_RESETS = "http2-resets"
    NOT_TRUSTED = "not-trusted"
    PROXY_PROTOCOL = "proxy-protocol"


class StreamReset(StrEnum):
    """Reasons why this proxy refused or ended one request of a client over HTTP/2, and not its connection."""

    HTTP2_HEADS = "http2-heads"
    HTTP2_TOO_SLOW = "http2-too-slow"
    HTTP2_UNREAD = "http2-unread"
    HTTP2_UPLOAD_HELD = "http2-upload-held"


class Dropped(StrEnum):
    """Reasons why content that an origin sent was not relayed to the client."""

    CONTENT_IN_204 = "content-in-204"
    CONTENT_IN_205 = "content-in-205"
    CONTENT_IN_304 = "content-in-304"
