r"""Makes the lines of the access log. Whatever bytes a request has, its response has one line.

As in nginx, quotation marks, backslashes and all characters but those of ASCII that can be printed are written as
`\xXX`, and a value that does not exist as `-`. In JSON, values are numbers, strings or null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from json.encoder import encode_basestring_ascii

from addon.config.access_format import JSON, VARIABLES, field_of, pieces
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.access_log.variables import OF_RESPONSE, OF_SENDING, Value, field

_ESCAPED = re.compile(r"[^ !#-\[\]-~]")
_SAME_WITHIN_A_SECOND = frozenset({"remote_addr", "time_iso8601", "time_local"})
"""Variables that equal responses to one client have in common within a second."""

type OfResponse = Callable[[LoggedResponse, str], Value]
"""Returns the value of a variable, by a response and the name of its site."""


class LineFormat:
    """One format of the access log.

    Attributes:
        repeats: Equal responses to one client have the same line within a second.
    """

    def __init__(self, name: str = "common") -> None:
        """Use a format as `log.access_format` has it. Raises ValueError if it is none."""
        is_json = name == JSON
        *before_variables, (self._end, _) = _json_pieces() if is_json else pieces(name)
        self._parts = [(text, OF_SENDING.get(variable), _of_response(variable)) for text, variable in before_variables]
        self._encoded = json_text if is_json else plain_text
        of_sending = [variable for _, variable in before_variables if variable in OF_SENDING]
        self._of_sending = tuple([OF_SENDING[variable] for variable in of_sending])
        self.repeats = _SAME_WITHIN_A_SECOND.issuperset(of_sending)
        self._between, self._prepared_end = self._prepared_parts()

    def _prepared_parts(self) -> tuple[list[tuple[str, OfResponse]], str]:
        """Return the texts of `prepare`, with `%s` for values of the sending, before each value of the response."""
        found, text = [], ""
        for before, of_sending, of_response in self._parts:
            text += _literal(before)
            if of_sending is None:
                found.append((text, of_response))
                text = ""
            else:
                text += "%s"
        return found, text + _literal(self._end)

    def line(self, response: LoggedResponse, sending: Sending, site: str = "") -> str:
        """Return the line of a response that was sent. `site` is that of it."""
        encoded, parts = self._encoded, []
        for text, of_sending, of_response in self._parts:
            parts.append(text)
            parts.append(encoded(of_sending(sending) if of_sending is not None else of_response(response, site)))
        parts.append(self._end)
        return "".join(parts)

    def prepare(self, response: LoggedResponse, site: str = "") -> str:
        """Return the line of a response with `%s` for what differs between equal responses. `site` is that of it."""
        encoded, parts = self._encoded, []
        for text, of_response in self._between:
            parts.append(text)
            parts.append(_literal(encoded(of_response(response, site))))
        parts.append(self._prepared_end)
        return "".join(parts)

    def values(self, sending: Sending) -> tuple[str, ...]:
        """Return the values that are to be filled into the line of a response that was sent, see `prepare`."""
        encoded = self._encoded
        return tuple([encoded(value(sending)) for value in self._of_sending])


def _literal(text: str) -> str:
    """Return the format of `%` that stands for a text."""
    return text.replace("%", "%%")


def _json_pieces() -> list[tuple[str, str]]:
    between = [("{" if number == 0 else ", ", name) for number, name in enumerate(VARIABLES)]
    return [*((f'{text}"{name}": ', name) for text, name in between), ("}", "")]


def _of_response(variable: str) -> OfResponse:
    """Return what returns the value of a variable."""
    name = field_of(variable) or ""
    return OF_RESPONSE.get(variable) or (lambda response, _: field(response, name))


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
