"""The request on its way to the origin: this hop's fields off, Via on, conditional where something is validated."""

from __future__ import annotations

from dataclasses import fields, replace

from cache import validation
from cache.decisions import Forward, Sent, Validate
from cache.destinations import pseudonym
from cache.entry import StoredResponse
from cache.fields import delta_seconds
from cache.fieldtable import end_to_end
from cache.messages import Request
from cache.policy import CachePolicy


def upstream(request: Request, policy: CachePolicy) -> Request:
    """Return the request as it goes forward: without this hop's fields, with Via (RFC 9110 §7.6)."""
    fields = end_to_end(request.fields)
    hops = delta_seconds(fields.get("max-forwards") or "")
    if hops and request.method in ("OPTIONS", "TRACE"):  # RFC 9110 §7.6.2
        fields = fields.replacing("Max-Forwards", str(hops - 1))
    via = ("Via", f"{request.version.removeprefix('HTTP/')} {pseudonym(policy)}")
    return replace(request, fields=fields.appending(via))


# what belongs to one client's request, not to a validation that the proxy starts itself (RFC 5861 §5)
_PERSONAL = frozenset({"authorization", "cache-control", "cookie", "pragma", "range", *validation.PRECONDITIONS})


def behind(request: Request, entry: StoredResponse, policy: CachePolicy) -> Request:
    """Return the request for a validation in the background, started by a client's request."""
    nominated = {name for name, _ in entry.vary}  # and what the partition goes by
    kept = request.fields.without(_PERSONAL - nominated)
    return upstream(replace(request, method="GET", fields=kept), policy)


def validating(sent: Sent, nominated: tuple[StoredResponse, ...]) -> Validate | Forward:
    """Return the request made conditional, or as it is where nothing can be validated."""
    said = {slot.name: getattr(sent, slot.name) for slot in fields(sent)}
    # RFC 9111 §4.3.5: a HEAD goes forward as a HEAD, to freshen rather than to validate
    if not nominated or sent.request.method == "HEAD":
        return Forward(**said)
    return Validate(**{**said, "request": validation.conditional(sent.request, nominated), "nominated": nominated})
