"""The directory of the store in settings that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.config.store_place import store_place

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.mark.parametrize(
    "text",
    [
        "[answer]\nstatus = 'sometimes'\n[store]\npath = '/there'\n",
        "[store]\npath = '/there'\nmax_size = -1\n[answer]\nstatus = \n",
        "[limits\n[store]\npath = '/there'\n[[site]]\n",
        "store.path = '/there'\n[limits\n",
        "store = { path = '/there' }\n  [limits]\nmax_head = 1, 2",
    ],
)
def test_it_is_found_in_a_file_with_faults(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert store_place(file, None, {}) == Path("/there")
    assert store_place(None, None, {"SECONDHAND_CONFIG": str(file)}) == Path("/there")


@pytest.mark.parametrize("text", ["[store]\npath = \n", "store = 1\n", "[store]\npath = 2\n", ""])
def test_a_file_that_does_not_tell_leaves_the_default(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    default = Settings().store.directory
    assert store_place(file, None, {}) == store_place(tmp_path / "missing", None, {}) == default


def test_the_command_line_and_the_environment_win(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[store]\npath = '/there'\n")
    environ = {"SECONDHAND_STORE__PATH": "/here"}
    assert store_place(file, None, environ) == Path("/here")
    assert store_place(file, "/elsewhere", environ) == Path("/elsewhere")
