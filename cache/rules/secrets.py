"""What is not to be written down of a response: fields and members of JSON that bear the names of secrets."""

from __future__ import annotations

from dataclasses import replace

from cache.http.fields import media_type
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse

MAX_SCRUBBED = 33_554_432
"""Octets of JSON, without its coding, that are read while a client waits for the next; more is not stored."""

# what names or describes octets that are no longer the same
_DESCRIBING = frozenset(
    "accept-ranges content-digest content-encoding content-length content-md5 digest etag last-modified repr-digest"
    " signature signature-input".split()
)


def is_json(fields: Fields) -> bool:
    """Tell whether the content is JSON, as its media type says (RFC 6839 §3.1)."""
    kind = media_type(fields.get("content-type"))
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def secrets_in(fields: Fields, policy: CachePolicy) -> frozenset[str]:
    """Return the names of members whose values are taken out of this content before it is stored."""
    return policy.private.secrets if policy.private.secrets and is_json(fields) else frozenset()


def other_content(head: Response, length: int) -> Response:
    """Return the head of content that something was taken out of: another representation (decision D41)."""
    fields = head.fields.without(_DESCRIBING).appending(("Content-Length", str(length)))
    return replace(head, fields=fields)


def other_entry(entry: StoredResponse, length: int, sha256: str) -> StoredResponse:
    """Return an entry for what is left of its body."""
    return replace(entry, head=other_content(entry.head, length), scrubbed=True).with_body(length, sha256)
