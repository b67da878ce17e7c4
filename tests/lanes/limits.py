"""What a lane cannot show, and why."""

from __future__ import annotations

from tests.lanes import script
from tests.lanes.script import Conversation

LANES = ("engine", "responder", "disk", "door", "door-tls", "http", "https", "http2")
"""The pure functions; the responder, its store in memory and on disk; the whole proxy through its door, in clear and in
a tunnel, and through mitmproxy's hooks, three ways to reach them."""

_ENTRANCE = {"door": "http", "door-tls": "https"}
"""What cannot be asked in the one cannot be asked in the other."""

OCTETS = "the engine is handed whole messages; octets, and what happens while they flow, are not its business"
CONTENT = "requests with content are carried by mitmproxy; the responder never sees them"
CARRIED = "where a request that mitmproxy carries comes to nothing, the error is mitmproxy's own page"
BEGUN = "the door sends what it has as it comes: a head that is out cannot become an error any more"
WAITS = "it waits for small content before it says a word"
EXPECTS = "mitmproxy answers an expectation by itself"
CLEAR = "only a URL of https shows it"
HTTP2 = "HTTP/2 forbids the client to send it"

WITHOUT_DOOR = {"door": BEGUN, "door-tls": BEGUN}
THROUGH_DOOR = dict.fromkeys(("responder", "http", "https", "http2"), WAITS)
THROUGH_MITMPROXY = {"http": CARRIED, "https": CARRIED, "http2": CARRIED}
WITHOUT_MITMPROXY = dict.fromkeys(("engine", "responder", "door", "door-tls"), "mitmproxy has no part in it")

_OF_ONE_CONNECTION = ("connection", "keep-alive", "proxy-connection", "te", "upgrade", "host")


def limit(conversation: Conversation, lane: str) -> str | None:
    """Return why a lane cannot show a conversation, or None if it shows it."""
    steps = conversation.steps
    like = "responder" if lane == "disk" else lane
    if lane.startswith("door") and conversation.unseen.get(_ENTRANCE[lane]) not in (None, CARRIED, WAITS, EXPECTS):
        return conversation.unseen[_ENTRANCE[lane]]
    if like in conversation.unseen:
        return conversation.unseen[like]
    if lane == "engine" and any(map(_is_about_octets, steps)):
        return OCTETS
    if like == "responder" and any(isinstance(step, script.Ask) and step.body for step in steps):
        return CONTENT
    if lane in ("door", "http") and conversation.secure:
        return CLEAR
    asked = [line.partition(":")[0].lower() for step in steps if isinstance(step, script.Ask) for line in step.fields]
    return HTTP2 if lane == "http2" and set(asked) & set(_OF_ONE_CONNECTION) else None


def _is_about_octets(step: script.Step) -> bool:
    match step:
        case script.Origin(then=then):
            return then != ""
        case script.Answer(cut=cut):
            return cut
    return isinstance(step, script.OriginOctets | script.OriginGoesOn | script.Leave | script.Waits)
