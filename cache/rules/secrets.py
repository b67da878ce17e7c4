"""Secrets in JSON: values that are removed from content before it is stored, by the names of their members."""

from __future__ import annotations

from dataclasses import replace

from cache.http.fields import media_type
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse

MAX_SCRUBBED = 33_554_432
"""Bytes of JSON, without its content coding, that are searched for secrets; larger content is not stored."""

# fields that identify or describe the original bytes
_FIELDS_OF_ORIGINAL = frozenset(
    "accept-ranges content-digest content-encoding content-length content-md5 digest etag last-modified repr-digest"
    " signature signature-input".split()
)


def is_json(fields: Fields) -> bool:
    """Return whether the content is JSON by its media type (RFC 6839 §3.1)."""
    kind = media_type(fields.get("content-type"))
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def secrets_in(fields: Fields, policy: CachePolicy) -> frozenset[str]:
    """Return the names of the JSON members whose values are removed from this content before it is stored."""
    return policy.private.secrets if policy.private.secrets and is_json(fields) else frozenset()


def scrubbed_head(head: Response, length: int) -> Response:
    """Return the head for scrubbed content of `length` bytes: another representation than the origin's."""
    fields = head.fields.without(_FIELDS_OF_ORIGINAL).appending(("Content-Length", str(length)))
    return replace(head, fields=fields)


def scrubbed_entry(entry: StoredResponse, length: int, sha256: str) -> StoredResponse:
    """Return the entry of a response for its scrubbed body."""
    return replace(entry, head=scrubbed_head(entry.head, length), scrubbed=True).with_body(length, sha256)
