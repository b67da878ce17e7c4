"""Removes from logs the queries of URLs, names and passwords in URLs, and the values of fields with credentials.

All log records of the process pass through `install`, whatever library writes them, with their tracebacks.
"""

from __future__ import annotations

import logging
import re
from typing import Any

HIDDEN = "?[hidden]"
"""Stands for a query."""

_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")
_WORD = re.compile(r"[^ \n]+")
_UP_TO_QUESTION_MARK = re.compile(r"[^\s?]++\??")
_END_OF_CLAUSE = ",;:.)"
_CREDENTIALS = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie)(?P<mark>['\"]?\s*[:=,]\s*(?:b?['\"])?)(?:(?!\\r|\\n)[^\r\n])+",
    re.IGNORECASE,
)

_exceptions = logging.Formatter()


class Redaction:
    """Hides secrets in the logs of this process.

    Attributes:
        shows_queries: The operator wants to see queries (`log.queries`).
    """

    def __init__(self) -> None:
        self.shows_queries = False
        self._loggers: tuple[str, ...] = ()
        self._installed = False

    def target(self, target: str) -> str:
        """Return a request target, or a URL, as it is logged."""
        shown = without_userinfo(target)
        path, question_mark, _ = shown.partition("?")
        return path + HIDDEN if question_mark and not self.shows_queries else shown

    def text(self, text: str) -> str:
        """Return any text as it is logged."""
        text = _CREDENTIALS.sub(r"\1\g<mark>[hidden]", without_userinfo(text))
        return text if self.shows_queries or "?" not in text else _WORD.sub(_without_query, text)

    def install(self, *loggers: str) -> None:
        """Redact all log records from now on, or only those of loggers with these names and below them."""
        self._loggers = loggers
        if self._installed:
            return
        self._installed, make_record = True, logging.getLogRecordFactory()

        def make(name: str, *arguments: Any, **options: Any) -> logging.LogRecord:
            record = make_record(name, *arguments, **options)
            if not self._loggers or name.partition(".")[0] in self._loggers:
                self._redact(record)
            return record

        logging.setLogRecordFactory(make)

    def _redact(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # logging would print the arguments as they are
            message = f"{record.msg} (its arguments do not fit)"
        record.msg, record.args = self.text(message), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self.text(_exceptions.formatException(record.exc_info))


def without_userinfo(text: str) -> str:
    """Return text with names and passwords removed from the URLs in it."""
    return _USERINFO.sub("", text) if "@" in text else text


def _without_query(word: re.Match[str]) -> str:
    """Return a word in which the query of its first URL or path is hidden. Each character is read a few times only."""
    text = word[0]
    for piece in _UP_TO_QUESTION_MARK.finditer(text):
        if piece[0].endswith("?") and "/" in piece[0]:
            # the query is the rest of the word, except punctuation at its end that belongs to the sentence
            punctuation = text[len(text.rstrip(_END_OF_CLAUSE)) :]
            return text[: piece.end() - 1] + HIDDEN + punctuation
    return text


redaction = Redaction()
"""The redaction of this process. The records of `logging` belong to the whole process, so there is one object."""
