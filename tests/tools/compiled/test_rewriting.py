"""Sources rewritten for mypyc mean the same as before."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from tools.compiled.rewriting import rewritten, subclasses

RECORDS = '''
"""Records."""

from __future__ import annotations

from dataclasses import field

from cache.http.record import record


@record
class Point:
    """A point."""

    x: int
    y: int = 2
    seen: list[int] = field(default_factory=list)
    sum: int = field(init=False, default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sum", self.x + self.y)


@record
class NamedPoint(Point):
    """A point with a name."""

    name: str = field(default="a", repr=False)


@record
class Nothing:
    """A record without fields."""
'''


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module that the rewritten records make."""
    module = ModuleType("rewritten_records")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(rewritten(RECORDS, frozenset()), vars(module))
    return module


def test_a_record_has_its_defaults(records: ModuleType) -> None:
    point = records.Point(1)
    assert (point.x, point.y, point.seen, point.sum) == (1, 2, [], 3)
    assert records.Point(1).seen is not point.seen
    assert records.Point(1, seen=point.seen).seen is point.seen


def test_records_are_compared_by_their_fields(records: ModuleType) -> None:
    assert records.Point(1) == records.Point(1, 2)
    assert records.Point(1) != records.Point(1, 3)
    assert len({records.Nothing(), records.Nothing()}) == 1


def test_a_changed_copy_of_a_record_can_be_made(records: ModuleType) -> None:
    changed = replace(records.NamedPoint(1, name="b"), y=5)
    assert (changed.x, changed.y, changed.sum, changed.name) == (1, 5, 6, "b")
    assert records.NamedPoint(1).name == "a"


def test_no_class_keeps_slots() -> None:
    source = """
from dataclasses import dataclass
class Plain:
    __slots__ = ("a", *("b",))
    def method(self) -> None: ...
@dataclass(slots=True, eq=False)
class Data:
    a: int
"""
    made = rewritten(source, frozenset())
    assert "slots" not in made
    assert "@dataclass(eq=False)" in made


def test_a_protocol_of_the_event_loop_derives_from_no_interpreted_class() -> None:
    made = rewritten("import asyncio\nclass A(asyncio.Protocol, ABC):\n    a = 1", frozenset())
    assert "class A(ABC):" in made


def test_a_class_with_interpreted_subclasses_allows_them() -> None:
    made = rewritten("import os\nclass A:\n    a = 1\nclass B:\n    b = 1", frozenset({"B"}))
    assert "@_mypyc_attr(allow_interpreted_subclasses=True)\nclass B:" in made
    assert "\n\nclass A:" in made


def test_the_classes_from_which_others_derive_are_found() -> None:
    source = "from a.b import C, D as E\nfrom f import G\nclass X(E, G[int], object): ...\nclass Y(C): ..."
    assert list(subclasses(source)) == [("a.b", "D"), ("a.b", "C")]
