"""Requests and responses in an input: one `name: value` on each line, and an empty line between two sections."""

from __future__ import annotations

from cache.http.fields import TOKEN
from cache.http.messages import Fields


def sections(data: bytes, count: int) -> list[Fields]:
    """Return as many sections of field lines. What is no field line is left out: no parser of heads accepts it."""
    texts = data.decode("latin-1").replace("\r", "").replace("\0", "").split("\n\n", count - 1)
    return [_fields(text) for text in [*texts, *[""] * (count - len(texts))]]


def _fields(text: str) -> Fields:
    lines = (line.partition(":") for line in text.split("\n"))
    return Fields(tuple((name, value.strip(" \t")) for name, colon, value in lines if colon and TOKEN.fullmatch(name)))
