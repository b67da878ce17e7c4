"""The methods that an edge forwards: those that are registered (RFC 9110 §16.1.1)."""

from __future__ import annotations

from cache.policy.reasons import Refused

PURGES = frozenset({"PURGE", "BAN", "URIBAN", "PURGEKEYS", "PURGETAGS"})
"""The methods by which clients of caches delete stored responses. The last two are FOSHttpCache's."""

REGISTERED = frozenset(
    "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY"
    " MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND"
    " REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL".split()
)
"""The methods of the IANA registry, those of WebDAV and its extensions included."""

FORWARDED = REGISTERED | {"M-SEARCH"}
"""Also the method of UPnP and of caching tests: it is widely known, though it was never registered."""

ALLOW = ", ".join(sorted(FORWARDED - {"CONNECT", "TRACE"}))
"""The value of Allow in a 405 (RFC 9110 §15.5.6)."""


def reason_to_refuse(method: str) -> Refused | None:
    """Return why an edge does not forward requests with a method, or None."""
    if method in PURGES:
        return Refused.PURGE
    return None if method in FORWARDED else Refused.METHOD
