"""Regular expressions of purge clients, as shell patterns: of these, every match takes linear time.

A client's regular expression is never executed: it could take forever. What clients send is simple: words, `.*`,
alternatives, and the ends of the text. Such an expression stands for a list of shell patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import product

MAX_LENGTH = 16_384
"""Characters of an expression."""

MAX_PATTERNS = 512
"""Patterns that one expression stands for."""

MAX_PARTS = 262_144
"""Parts of all these patterns together."""

_START, _END, _ANY, _ONE = "<start>", "<end>", "*", "?"
_CLASSES = {"d": "[0-9]", "w": "[0-9A-Za-z_]"}
_LITERAL_CLASS = re.compile(r"\[\^?[0-9A-Za-z_/.,:;=&%+~@-]+\]")

type _Parts = list[str]
"""A pattern: characters, `*`, `?` and classes; a literal `*`, `?` or `[` is written as a class."""


class UnsupportedPattern(ValueError):
    """The expression has something else in it. The text is a sentence for the client."""


def patterns_of(expression: str) -> tuple[str, ...]:
    """Return shell patterns that together match the texts in which an expression is found.

    Raises:
        UnsupportedPattern: there are none.
    """
    return tuple(dict.fromkeys("".join(_anchored(parts)) for parts in _parsed(expression)))


def member_patterns_of(expression: str) -> tuple[str, ...]:
    """Return shell patterns for the members of a list with commas in which an expression is found.

    It must be about one member: a tag, with what comes before and behind it, as in `(^|,)(a|b)(,|$)`. Empty if it is
    found in every list. Raises UnsupportedPattern.
    """
    found: dict[str, None] = {}
    for parts in _parsed(expression):
        text = _split(_anchored(parts), ",")
        members = [member for member in text if member and set(member) != {_ANY}]
        wild = [member for member in members if set(member) <= {_ANY, _ONE}]
        if not members:
            return ()
        named = [member for member in members if member not in wild]
        if len(named) != 1:
            raise UnsupportedPattern("a pattern for tags has to be about one tag, or several alternatives")
        found["".join(named[0])] = None
    return tuple(found)


def _split(parts: _Parts, separator: str) -> list[_Parts]:
    members: list[_Parts] = [[]]
    for part in parts:
        if part == separator:
            members.append([])
        else:
            members[-1].append(part)
    return members


def _anchored(parts: _Parts) -> _Parts:
    """Return the parts of a pattern for the whole text."""
    starts, ends = parts[:1] == [_START], parts[-1:] == [_END]
    kept = [part for part in parts if part not in (_START, _END)]
    whole = [*([] if starts else [_ANY]), *kept, *([] if ends else [_ANY])]
    return [part for part, before in zip(whole, [None, *whole], strict=False) if (part, before) != (_ANY, _ANY)]


def _parsed(expression: str) -> list[_Parts]:
    if len(expression) > MAX_LENGTH:
        raise UnsupportedPattern(f"a pattern has at most {MAX_LENGTH} characters")
    parser = _Parser(expression)
    found = parser.alternatives()
    if parser.left:
        raise UnsupportedPattern(f"there is a parenthesis too many in the pattern {expression[:80]}")
    usable = [parts for parts in found if _START not in parts[1:] and _END not in parts[:-1]]
    if not usable:
        raise UnsupportedPattern(f"nothing can match the pattern {expression[:80]}")
    return usable


class _Parser:
    """Reads an expression from left to right."""

    def __init__(self, expression: str) -> None:
        self.left = expression
        self._depth = 0
        self._parts = 0

    def alternatives(self) -> list[_Parts]:
        """Read alternatives up to the end or to a parenthesis; return the patterns that they stand for."""
        self._depth += 1
        if self._depth > 20:
            raise UnsupportedPattern("there are too many parentheses in the pattern")
        found = self._sequence()
        while self.left[:1] == "|":
            self.left = self.left[1:]
            found = _bounded([*found, *self._sequence()])
        self._depth -= 1
        return found

    def _sequence(self) -> list[_Parts]:
        found: list[_Parts] = [[]]
        while self.left and self.left[0] not in "|)":
            atom = self._quantified()
            if len(atom) == 1:  # in place: most of an expression are single characters
                for parts in found:
                    parts += atom[0]
                self._count(len(found))
            else:
                found = _joined(found, atom)
                self._count(sum(map(len, found)))
        return found

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise UnsupportedPattern("the pattern is too long for the number of its alternatives")

    def _quantified(self) -> list[_Parts]:
        atom = self._atom()
        sign = self.left[:1]
        if not sign or sign not in "*+?{":
            return atom
        self.left = self.left[1:]
        if self.left[:1] == "?" and sign != "{":  # matched as few times as possible: the same texts are found
            self.left = self.left[1:]
        if sign == "?":
            return _bounded([*atom, []])
        if sign in "*+" and atom == [[_ONE]]:
            return [[_ANY]] if sign == "*" else [[_ONE, _ANY]]
        raise UnsupportedPattern(f'a repetition of anything but "." is not supported, found "{sign}"')

    def _atom(self) -> list[_Parts]:
        first, self.left = self.left[0], self.left[1:]
        reader: Callable[[], list[_Parts]] | None = {
            "(": self._group,
            "[": self._class,
            "\\": self._escape,
            "^": lambda: [[_START]],
            "$": lambda: [[_END]],
            ".": lambda: [[_ONE]],
        }.get(first)
        if reader is not None:
            return reader()
        if first in "*+?{":
            raise UnsupportedPattern(f'there is nothing before "{first}" in the pattern')
        return [[first]]

    def _group(self) -> list[_Parts]:
        if self.left[:1] == "?":
            if self.left[:2] != "?:":
                raise UnsupportedPattern("groups that begin with (? are not supported")
            self.left = self.left[2:]
        found = self.alternatives()
        if self.left[:1] != ")":
            raise UnsupportedPattern("there is a parenthesis too few in the pattern")
        self.left = self.left[1:]
        return found

    def _class(self) -> list[_Parts]:
        match = _LITERAL_CLASS.match("[" + self.left)
        if match is None:
            raise UnsupportedPattern(f"this set of characters is not supported: [{self.left[:40]}")
        self.left = self.left[match.end() - 1 :]
        return [[match[0].replace("[^", "[!")]]

    def _escape(self) -> list[_Parts]:
        escaped, self.left = self.left[:1], self.left[1:]
        if escaped in _CLASSES:
            return [[_CLASSES[escaped]]]
        if not escaped or escaped.isalnum():
            raise UnsupportedPattern(f"\\{escaped} is not supported in a pattern")
        return [[f"[{escaped}]" if escaped in "*?[" else escaped]]


def _joined(before: list[_Parts], behind: list[_Parts]) -> list[_Parts]:
    if len(before) * len(behind) > MAX_PATTERNS:
        raise UnsupportedPattern(f"the pattern has more than {MAX_PATTERNS} alternatives")
    return [[*one, *other] for one, other in product(before, behind)]


def _bounded(patterns: Iterable[_Parts]) -> list[_Parts]:
    found = list(patterns)
    if len(found) > MAX_PATTERNS:
        raise UnsupportedPattern(f"the pattern has more than {MAX_PATTERNS} alternatives")
    return found
