"""Every input of the corpus holds the properties of its target, and every target has a small corpus.

The inputs run here once, as they are; `make fuzz` changes them.
"""

from __future__ import annotations

import pytest

from tools.fuzz.__main__ import MAX_LENGTH
from tools.fuzz.targets import CORPUS, NAMES, target_of

MAX_CORPUS = 300_000
"""Bytes of all inputs together."""


@pytest.mark.parametrize("name", NAMES)
def test_every_input_of_the_corpus_holds_the_properties_of_its_target(name: str) -> None:
    target = target_of(name)
    inputs = sorted(target.corpus.iterdir())
    assert inputs
    for file in inputs:
        target.check(file.read_bytes())


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    assert sorted(folder.name for folder in CORPUS.iterdir()) == sorted(NAMES)


def test_the_corpus_is_small() -> None:
    sizes = {file: file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()}
    assert max(sizes.values()) <= MAX_LENGTH
    assert sum(sizes.values()) <= MAX_CORPUS
