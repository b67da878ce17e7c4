"""The kinds of text among the arguments of the admin API."""

from __future__ import annotations

from tests.fixtures.imported_modules import found, modules_after


def test_the_readers_of_lock_files_are_not_imported_for_their_names() -> None:
    modules = modules_after("import addon.serve.admin.texts")
    assert found({"addon.warm.lockfiles"}, modules) == {
        "addon.warm.lockfiles",
        "addon.warm.lockfiles.formats",
        "addon.warm.lockfiles.lock_file",
    }
