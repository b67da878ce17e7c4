"""The layout of `tests/`: it mirrors `addon/`, `cache/` and `tools/`.

The tests of a module or sub-package `m` are in the same folder of `tests/`, in `test_m.py` or `test_m_<aspect>.py`.
Tests of a whole package have its name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
MIRRORED = ("addon", "cache", "tools")


def python_files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", MIRRORED)
def test_every_test_file_has_the_name_of_a_module_in_the_same_folder(folder: str) -> None:
    misplaced = []
    for path in python_files(folder):
        tested = ROOT / path.parent.relative_to(TESTS)
        names = {tested.name} | {
            entry.stem for entry in tested.glob("*") if entry.suffix == ".py" or (entry / "__init__.py").exists()
        }
        name_and_aspect = path.stem.removeprefix("test_")
        if path.name.startswith("test_") and not any(f"{name_and_aspect}_".startswith(f"{name}_") for name in names):
            misplaced.append(str(path.relative_to(ROOT)))
    assert not misplaced


@pytest.mark.parametrize("folder", MIRRORED)
def test_every_folder_of_tests_is_a_folder_of_the_code(folder: str) -> None:
    folders = {path.parent for path in python_files(folder)}
    assert [each for each in sorted(folders) if not (ROOT / each.relative_to(TESTS)).is_dir()] == []
