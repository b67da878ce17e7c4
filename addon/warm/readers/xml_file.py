"""Reads XML as a tree of elements, without a document type, whose entities could expand without limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from xml.parsers import expat

from addon.offline.wanted import SourceError

MAX_ELEMENTS = 1_000_000
"""Elements of one document. Each takes some 200 bytes of memory, although four bytes of XML can make one."""


@dataclass(slots=True)
class Element:
    """An element with its name without namespace."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, *path: str) -> Iterator[Element]:
        """Iterate over the elements at a path of names below this one."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def value(self, *path: str) -> str:
        """Return the text of the first element at a path, without white space around it; empty if there is none."""
        return next((each.text.strip() for each in self.all(*path)), "")


def parse_xml(content: bytes, place: str) -> Element:
    """Return the root element. Raises SourceError, whose text begins with `place`, and has the line and column."""
    top = Element("")
    path = [top]
    numbers = count(1)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def begin(name: str, attributes: dict[str, str]) -> None:
        if next(numbers) > MAX_ELEMENTS:
            raise SourceError(f"{place}: has more than {MAX_ELEMENTS} elements")
        element = Element(name.rpartition(" ")[2], attributes)
        path[-1].children.append(element)
        path.append(element)

    def refuse(*_: object) -> None:
        raise SourceError(f"{place}: found a document type declaration, which it must not have")

    def add_text(text: str) -> None:
        path[-1].text += text

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        at = f"{place}: line {error.lineno}, column {error.offset + 1}"
        raise SourceError(f"{at}: {expat.ErrorString(error.code)}, expected XML") from None
    return top.children[0]
