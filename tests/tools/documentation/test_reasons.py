"""Every reason has an anchor on a page, with its meaning, its clause, when it happens and what would change it."""

from __future__ import annotations

import inspect
import tomllib
from enum import StrEnum

import pytest

from cache.policy import reasons as names
from cache.policy.reason_texts import text_of
from cache.policy.storing_remedies import remedy_of
from tools.documentation.markdown import escaped
from tools.documentation.reasons import PAGES, TEXTS, page

KINDS = [
    kind for _, kind in inspect.getmembers(names, inspect.isclass) if issubclass(kind, StrEnum) and kind.__members__
]


def test_every_kind_of_reason_is_on_one_page() -> None:
    assert sorted(group.kind.__name__ for each in PAGES for group in each.groups) == sorted(
        kind.__name__ for kind in KINDS
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_reason_is_explained(kind: type[StrEnum]) -> None:
    (where,) = [(each, group) for each in PAGES for group in each.groups if group.kind is kind]
    text = page(where[0])
    explained = tomllib.loads(TEXTS.read_text(encoding="utf-8"))[kind.__name__]
    assert set(explained) == {str(reason) for reason in kind}
    for reason in kind:
        section = text.partition(f"({where[1].anchor}-{reason})=\n### `{reason}`\n")[2].partition("\n(")[0]
        assert escaped(text_of(reason).sentence)[1:] in section
        assert text_of(reason).source in section or text_of(reason).source == "ours"
        assert f"- When: {explained[reason]['when']}" in section
        change = remedy_of(reason) if kind is names.NotStored else explained[reason]["change"]
        assert (escaped(change)[1:] if kind is names.NotStored else change) in section
        assert kind is not names.Refused or "- Status: " in section


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_texts_are_whole_sentences(kind: type[StrEnum]) -> None:
    for texts in tomllib.loads(TEXTS.read_text(encoding="utf-8"))[kind.__name__].values():
        assert all(text.endswith(".") for name, text in texts.items() if name != "status")
