"""Origins that send nothing compressed to a request with Via, as nginx does unless its gzip_proxied is set."""

from __future__ import annotations

import re

from cache.http.fields import media_type
from cache.http.messages import Fields, Response
from cache.rules.accept_encoding import ACCEPT_ENCODING, acceptance

LEAST_LENGTH = 1024
"""Bytes from which on servers compress, whatever their settings are."""

_COMPRESSIBLE = re.compile(r"text/.+|application/(?:javascript|json|wasm|xml)|.+\+(?:json|xml)")


def may_withhold_gzip(sent: Fields, response: Response) -> bool:
    """Return whether nginx may have sent a response uncompressed because the request has Via.

    `sent` are the fields of the request that it got.
    """
    fields = response.fields
    if response.status != 200 or "via" not in sent or "content-encoding" in fields:
        return False
    if not (fields.get("server") or "").lower().startswith("nginx"):
        return False
    if not acceptance(sent.get(ACCEPT_ENCODING)).get("gzip", False):
        return False
    length = fields.get("content-length") or ""
    is_long = not length.isdecimal() or int(length[:18]) >= LEAST_LENGTH
    return is_long and bool(_COMPRESSIBLE.fullmatch(media_type(fields.get("content-type"))))
