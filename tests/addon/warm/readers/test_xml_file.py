"""XML as a tree of elements: names without namespace, and limits that an origin cannot exceed."""

from __future__ import annotations

import pytest

from addon.offline.wanted import SourceError
from addon.warm.readers import xml_file
from addon.warm.readers.xml_file import parse_xml


def test_elements_are_found_by_their_path() -> None:
    root = parse_xml(b"<x:a xmlns:x='urn:x'><x:b id='1'> one\n</x:b><b>two<c/></b><c><b>three</b></c></x:a>", "page")
    assert root.name == "a"
    assert [(each.attributes, each.text) for each in root.all("b")] == [({"id": "1"}, " one\n"), ({}, "two")]
    assert (root.value("b"), root.value("c", "b"), root.value("d")) == ("one", "three", "")


def test_the_number_of_elements_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_file, "MAX_ELEMENTS", 3)
    assert len(parse_xml(b"<a><b/><b/></a>", "page").children) == 2
    with pytest.raises(SourceError, match="page: has more than 3 elements"):
        parse_xml(b"<a><b/><b/><b/></a>", "page")


def test_depth_has_no_limit_of_its_own() -> None:
    root = parse_xml(b"<a>" * 100_000 + b"</a>" * 100_000, "page")
    assert len(root.children) == 1
