"""Defences against cache poisoning: requests meant to put a wrong response into the store (RFC 9111 §7.1, §7.3).

Fields that change a response and are in no key: `cache/rules/unkeyed_fields.py`.
"""

from __future__ import annotations

import re

from cache.http.fields import media_type
from cache.http.messages import Request, Response

MAX_USUAL_HEAD = 8_192
"""Bytes of a header section that origins are expected to accept; a larger one may provoke an error."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# nothing here is read twice, since white space between commas could be divided in very many ways
_BYTE_RANGES = re.compile(
    r"bytes=\s*+,*+\s*+(?:[0-9]++-[0-9]*+|-[0-9]++)(?:\s*+,\s*+(?:[0-9]++-[0-9]*+|-[0-9]++)?+)*+", re.IGNORECASE
)


def is_odd(request: Request) -> bool:
    """Return whether a request is unusual enough to provoke an error that other requests would not get."""
    fields = request.fields
    if sum(len(name) + len(value) + 4 for name, value in fields) > MAX_USUAL_HEAD:
        return True
    if any(_CONTROL.search(value) for _, value in fields):
        return True
    return "range" in fields and not _BYTE_RANGES.fullmatch(str(fields.get("range")))


# the media types of public files, by their extensions; an attack adds such an extension to the path of a private page
_MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("avif", "bmp", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp"), ("image/",)),
    **dict.fromkeys(("flac", "mp3", "ogg", "wav"), ("audio/", "application/ogg")),
    **dict.fromkeys(("mov", "mp4", "webm"), ("video/", "audio/")),
    **dict.fromkeys(("eot", "otf", "ttf", "woff", "woff2"), ("font/", "application/")),
    **dict.fromkeys(("js", "mjs"), ("text/javascript", "application/javascript", "application/x-javascript")),
    **dict.fromkeys(
        ("7z", "bz2", "deb", "gz", "jar", "rpm", "tgz", "whl", "xz", "zip", "zst"), ("application/", "binary/")
    ),
    "css": ("text/css",),
    "csv": ("text/csv", "text/plain", "application/"),
    "pdf": ("application/pdf",),
    "txt": ("text/plain",),
}


def contradicts_extension(request: Request, response: Response) -> bool:
    """Return whether the media type of a 200 contradicts the extension of its path (RFC 9111 §7.3)."""
    path = request.target.partition("?")[0]
    allowed = _MEDIA_TYPES.get(path.rpartition("/")[2].rpartition(".")[2].lower())
    kind = media_type(response.fields.get("content-type"))
    if response.status != 200 or allowed is None or kind in ("", "application/octet-stream"):
        return False
    # dynamic pages may have these two types, which also begin with application/
    return not kind.startswith(allowed) or kind in ("application/xhtml+xml", "application/json")
