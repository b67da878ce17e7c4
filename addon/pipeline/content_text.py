"""Content as text, by the charset that its origin names.

Python has more codecs than there are charsets: some take very long for content of strangers (`punycode`), some do not
return text (`hex`). So only charsets that texts are sent in are used. With any other name, or none, UTF-8 is tried.
"""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

_CHARSETS = {
    name: name
    for name in (
        *("utf_8", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"),
        *(f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"cp125{page}" for page in range(9)),
        *("koi8_r", "koi8_u", "mac_roman", "cp932", "euc_jp", "iso2022_jp", "cp949", "gb18030", "big5", "big5hkscs"),
    )
} | {
    # as browsers do it (https://encoding.spec.whatwg.org/#names-and-labels): many mean the charset that has more
    "latin_1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""The codec for each charset, by Python's name of the charset."""

_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9_.:-]+)""", re.IGNORECASE)


def text_of(content: bytes, content_type: str | None, *, is_whole: bool = True) -> str | None:
    """Return content as text, or None if it is none. Text may have control characters other than NUL.

    Args:
        content: The content without its content codings.
        content_type: The value of Content-Type.
        is_whole: If not, the last character may be cut off, and is left out then.
    """
    decoder = codecs.getincrementaldecoder(_codec(content_type or ""))()
    try:
        text = decoder.decode(content, final=is_whole)
    except UnicodeError:
        return None
    return None if "\0" in text else text


def _codec(content_type: str) -> str:
    named = _CHARSET.search(content_type)
    name = normalize_encoding(named[1].lower()) if named else ""
    return _CHARSETS.get(aliases.get(name, name), "utf_8")
