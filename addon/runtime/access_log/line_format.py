r"""Makes the lines of the access log. Whatever bytes a request has, its response has one line.

As in nginx, quotation marks, backslashes and all characters but those of ASCII that can be printed are written as
`\xXX`, and a value that does not exist as `-`. In JSON, values are numbers, strings or null.
"""

from __future__ import annotations

import re
from contextlib import suppress
from json.encoder import encode_basestring_ascii

from addon.config.access_format import JSON, VARIABLES, field_of, pieces
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.access_log.variables import OF_RESPONSE, OF_SENDING, Value, field

_ESCAPED = re.compile(r"[^ !#-\[\]-~]")
_SITE = "site"
_SAME_WITHIN_A_SECOND = frozenset({"remote_addr", "time_iso8601", "time_local"})
"""Variables that equal responses to one client have in common within a second."""


class LineFormat:
    """One format of the access log.

    Attributes:
        repeats: Equal responses to one client have the same line within a second.
    """

    def __init__(self, name: str = "common") -> None:
        """Use a format as `log.access_format` has it. Raises ValueError if it is none."""
        self._is_json = name == JSON
        self._pieces = _json_pieces() if self._is_json else pieces(name)
        self._encoded = json_text if self._is_json else plain_text
        of_sending = [variable for _, variable in self._pieces if variable in OF_SENDING]
        self._of_sending = tuple([OF_SENDING[variable] for variable in of_sending])
        self.repeats = _SAME_WITHIN_A_SECOND.issuperset(of_sending)

    def prepare(self, response: LoggedResponse, site: str = "") -> str:
        """Return the line of a response with `%s` for what differs between equal responses. `site` is that of it."""
        parts = []
        for text, variable in self._pieces:
            parts.append(text.replace("%", "%%"))
            if variable in OF_SENDING:
                parts.append("%s")
            elif variable:
                parts.append(self._encoded(_value(variable, response, site)).replace("%", "%%"))
        return "".join(parts)

    def values(self, sending: Sending) -> tuple[str, ...]:
        """Return the values that are to be filled into the line of a response that was sent, see `prepare`."""
        encoded = self._encoded
        return tuple([encoded(value(sending)) for value in self._of_sending])


def _json_pieces() -> list[tuple[str, str]]:
    between = [("{" if number == 0 else ", ", name) for number, name in enumerate(VARIABLES)]
    return [*((f'{text}"{name}": ', name) for text, name in between), ("}", "")]


def _value(variable: str, response: LoggedResponse, site: str) -> Value:
    if variable == _SITE:
        return site or None
    of_response = OF_RESPONSE.get(variable)
    return of_response(response) if of_response is not None else field(response, field_of(variable) or "")


def plain_text(value: Value) -> str:
    """Return a value as it stands in a line of text."""
    if isinstance(value, str):
        if _ESCAPED.search(value) is None:
            return value or "-"
        return _ESCAPED.sub(lambda match: f"\\x{ord(match[0]):02X}", _bytes_of(value).decode("latin-1"))
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _bytes_of(text: str) -> bytes:
    # fields are bytes, decoded as Latin-1; other text may have any characters
    return text.encode("latin-1") if max(text) <= "\xff" else text.encode()


def json_text(value: Value) -> str:
    """Return a value as JSON, with ASCII characters only. Text is read as UTF-8 if it is that."""
    if isinstance(value, str):
        if not value.isascii():
            with suppress(UnicodeDecodeError):
                value = _bytes_of(value).decode()
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
