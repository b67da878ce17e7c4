"""The request on its way to the origin: this hop's fields off, Via on, conditional where something is validated."""

from __future__ import annotations

from dataclasses import replace

from cache import validation
from cache.decisions import Forward, Sent, Validate
from cache.entry import StoredResponse
from cache.fields import tokens
from cache.fieldtable import end_to_end
from cache.messages import Request
from cache.policy import CachePolicy


def is_loop(request: Request, policy: CachePolicy) -> bool:
    """Tell whether this very instance has forwarded the request before."""
    pseudonym = _pseudonym(policy)
    return any(member.split()[1:2] == [pseudonym.lower()] for member in tokens(request.fields.get("via")))


def _pseudonym(policy: CachePolicy) -> str:
    return f"{policy.name}-{policy.instance}" if policy.instance else policy.name


def upstream(request: Request, policy: CachePolicy) -> Request:
    """Return the request as it goes forward: without this hop's fields, with Via (RFC 9110 §7.6)."""
    via = ("Via", f"{request.version.removeprefix('HTTP/')} {_pseudonym(policy)}")
    return replace(request, fields=end_to_end(request.fields).appending(via))


def behind(request: Request, entry: StoredResponse, policy: CachePolicy) -> Request:
    """Return the request for a validation that the proxy starts itself: nothing of the client's but what Vary names."""
    nominated = {name for name, _ in entry.vary}
    lines = tuple(line for line in request.fields if line[0].lower() in nominated)
    plain = Request("GET", request.scheme, request.host, request.port, request.target)
    return upstream(replace(plain, fields=plain.fields.appending(*lines)), policy)


def validating(sent: Sent, nominated: tuple[StoredResponse, ...]) -> Validate | Forward:
    """Return the request made conditional, or as it is where nothing can be validated."""
    # RFC 9111 §4.3.5: a HEAD goes forward as a HEAD, to freshen rather than to validate
    if not nominated or sent.request.method == "HEAD":
        return Forward(sent.request, sent.fwd, sent.detail, sent.storable, (), sent.selected, sent.matching)
    request = validation.conditional(sent.request, nominated)
    return Validate(request, sent.fwd, sent.detail, sent.storable, nominated, sent.selected, sent.matching)
