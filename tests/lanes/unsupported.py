"""The lanes, and the conversations that a lane cannot play."""

from __future__ import annotations

from tests.lanes import script
from tests.lanes.script import Conversation

LANES = (
    *("engine", "responder", "disk", "redis", "http1", "http1-tls", "http2-tls", "http2-clear"),
    *("http", "https", "http2"),
)
"""The names of all lanes.

`engine` is the pure functions. `responder`, `disk` and `redis` are the responder, with a store in memory, on disk or on
Redis. The others are the whole proxy: `http1` and `http1-tls` through its HTTP/1 front end, in clear and in a tunnel;
`http2-tls` and `http2-clear` through its HTTP/2 front end, in a tunnel and in clear; `http`, `https` and `http2`
through mitmproxy's listener, in clear, in a tunnel, and over HTTP/2 in a tunnel.
"""

_MITMPROXY_LANE = {"http1": "http", "http1-tls": "https", "http2-tls": "http2", "http2-clear": "http"}
"""The lane through mitmproxy whose clients send the same bytes as those of a lane through the front end."""

WHOLE_MESSAGES = "the engine gets whole messages: it does not read or send bytes"
NO_CONTENT = "mitmproxy carries requests with content: the responder does not see them"
HEAD_IS_SENT = "the front end sends a head as soon as it has one: it cannot become an error any more"
BODY_FIRST = "this lane waits for the end of a small body before it sends the head"
EXPECTATION = "mitmproxy itself answers Expect: 100-continue"
ONLY_HTTPS = "the conversation needs an https URL"
OTHER_FRAMING = "HTTP/2 frames by itself"
NOT_IN_HTTP2 = "HTTP/2 does not allow clients to send this field"

FRONT_END = tuple(_MITMPROXY_LANE)
"""The lanes through the front end."""

NOT_IN_FRONT_END = dict.fromkeys(FRONT_END, HEAD_IS_SENT)
ONLY_IN_FRONT_END = dict.fromkeys(("responder", "http", "https", "http2"), BODY_FIRST)

MITMPROXY = ("http", "https", "http2")
"""The lanes through mitmproxy's listener."""

_HELD = "mitmproxy holds a body until its end: the client gets an error, not a part"
_HEAD_FIRST = "mitmproxy has the head judged before there is any content"
_TIMING = "mitmproxy holds a response until it is complete, so waiting requests get it at another time"
_LENIENT = "origin.lenient does not apply: mitmproxy might read such a response in another way"
_TRAILERS = "mitmproxy's reader refuses trailers that are malformed or too long"

_CUT = "the connection to the client is closed early, and nothing is stored"
_UNPARSED = "JSON that cannot be parsed is relayed and not stored"
_SECRET = "a second request that"

WITH_MITMPROXY = {
    f"no last chunk: {_CUT}": _HELD,
    f"no end of the trailer section: {_CUT}": _HELD,
    f"a malformed chunk: {_CUT}": _HELD,
    f"a reset within the body: {_CUT}": _HELD,
    f"{_UNPARSED}: it is malformed": _HEAD_FIRST,
    f"{_UNPARSED}: it does not have its content coding": _HEAD_FIRST,
    f"{_UNPARSED}: its content coding is unknown": _HEAD_FIRST,
    f"{_SECRET} waits for JSON with a secret is forwarded once only a scrubbed copy exists": _TIMING,
    f"{_SECRET} joins while JSON with a secret is received gets all that the origin sends": _TIMING,
    "the rest of a response is stored after its client has disconnected": _TIMING,
    "a malformed trailer section: the response is relayed and stored": _TRAILERS,
    "a trailer section that is too long: the response is relayed and stored": _TRAILERS,
    "white space around a chunk extension: the response is relayed and stored": "mitmproxy's reader refuses it",
    "white space before the colon is removed from a response": "mitmproxy's reader refuses it",
    "a stored response takes nothing from a 304 that was read leniently: the whole response is fetched": _LENIENT,
}
"""Titles of conversations that mitmproxy itself makes impossible, each with the reason."""

ON_REDIS = {"an eviction deletes one copy, and the others stay usable": "the server evicts, by its own limit"}
"""Titles of conversations that a store on Redis makes impossible, each with the reason."""

_NOT_IN_HTTP2_FIELDS = ("connection", "keep-alive", "proxy-connection", "te", "upgrade", "host")


def reason_unsupported(conversation: Conversation, lane: str) -> str | None:
    """Return why a lane cannot play a conversation, or None if it can."""
    steps = conversation.steps
    like = "responder" if lane in ("disk", "redis") else lane
    if lane == "redis" and conversation.title in ON_REDIS:
        return ON_REDIS[conversation.title]
    if lane in MITMPROXY and (
        conversation.title in WITH_MITMPROXY or ", allowed by origin.lenient:" in conversation.title
    ):
        return WITH_MITMPROXY.get(conversation.title, _LENIENT)
    if lane in _MITMPROXY_LANE:
        # all that is unsupported because of the client's bytes, but not that which is mitmproxy's own behaviour
        reason = conversation.unsupported.get(_MITMPROXY_LANE[lane])
        if reason not in (None, BODY_FIRST, EXPECTATION):
            return reason
    if lane.startswith("http2") and OTHER_FRAMING in conversation.unsupported.values():
        return OTHER_FRAMING
    if like in conversation.unsupported:
        return conversation.unsupported[like]
    if lane == "engine" and any(map(_is_about_bytes, steps)):
        return WHOLE_MESSAGES
    if like == "responder" and any(isinstance(step, script.Ask) and step.body for step in steps):
        return NO_CONTENT
    if lane in ("http1", "http2-clear", "http") and conversation.secure:
        return ONLY_HTTPS
    sent = [line.partition(":")[0].lower() for step in steps if isinstance(step, script.Ask) for line in step.fields]
    return NOT_IN_HTTP2 if lane.startswith("http2") and set(sent) & set(_NOT_IN_HTTP2_FIELDS) else None


def _is_about_bytes(step: script.Step) -> bool:
    match step:
        case script.Origin(then=then):
            return then != ""
        case script.Answer(cut=cut):
            return cut
    return isinstance(step, script.OriginBytes | script.OriginContinues | script.Disconnect | script.AllRequestsWait)
