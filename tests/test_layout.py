"""Each test stands where its subject does: `tests/` mirrors the folders and modules of `addon/`, `cache/`, `tools/`."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
MIRRORED = ("addon", "cache", "tools")


def python_files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", MIRRORED)
def test_every_test_file_begins_with_the_name_of_a_module_in_the_same_folder(folder: str) -> None:
    misplaced = []
    for path in python_files(folder):
        tested = ROOT / path.parent.relative_to(TESTS)
        names = {tested.name, *(module.stem for module in tested.glob("*.py"))}
        aspect = path.stem.removeprefix("test_")
        if path.name.startswith("test_") and not any(f"{aspect}_".startswith(f"{name}_") for name in names):
            misplaced.append(str(path.relative_to(ROOT)))
    assert not misplaced


@pytest.mark.parametrize("folder", MIRRORED)
def test_every_folder_of_tests_exists_on_the_other_side(folder: str) -> None:
    folders = {path.parent for path in python_files(folder)}
    assert [each for each in sorted(folders) if not (ROOT / each.relative_to(TESTS)).is_dir()] == []
