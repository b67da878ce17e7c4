"""Credentials in requests: Cookie, Authorization, and fields like X-Api-Key by which an origin may know its client.

Nobody registers the fields of the third kind, so they are told by the words that end their names. A field that is
taken for a credential by mistake does little harm: a response without a lifetime is then shared by fewer clients.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cache.http.messages import Fields
from cache.rules.unkeyed_fields import folded

_API_KEY = re.compile(
    r".*(?:token|key|secret|password|passwd|passcode|passphrase|session|session-?id|jwt|ticket|otp|assertion|auth"
    r"|authorization|authentication|credentials?|signature|dpop)|(?:.*-)?sid|x-jfrog-art-api"
)
_NO_CREDENTIAL = re.compile(
    # Authorization has rules of its own; the rest are fields of browsers, of this hop, about signatures that a client
    # reads, against forged requests (a cookie comes with them), of a retry, and a number that npm counts its runs by
    r"authorization|sec-.*|proxy-.*|accept-.*|.*[cx]srf.*|(?:x-)?idempotency-key|npm-session"
)


@lru_cache(maxsize=1024)
def is_api_key(name: str) -> bool:
    """Return whether a field in a request is a credential, other than Cookie and Authorization."""
    plain = folded(name)
    return bool(_API_KEY.fullmatch(plain)) and not _NO_CREDENTIAL.fullmatch(plain)


@lru_cache(maxsize=512)
def api_keys(fields: Fields) -> tuple[str, ...]:
    """Return the sorted lines of these fields in a request, each with its name."""
    return tuple(sorted(f"{folded(name)}: {value}" for name, value in fields if is_api_key(name)))


def has_credentials(fields: Fields) -> bool:
    """Return whether a request has any credential."""
    return "cookie" in fields or "authorization" in fields or bool(api_keys(fields))
