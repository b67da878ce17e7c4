"""The commands that run mitmproxy's tools, and those that print the addon's path and the versions."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand as run
from tests.fixtures.terminals import on_a_terminal

pytestmark = pytest.mark.usefixtures("default_settings")


def test_addon_prints_the_path_for_mitmdump() -> None:
    assert run("addon").stdout == f"{Path(__file__).parents[3] / 'addon' / 'main.py'}\n"
    assert json.loads(run("addon", "--json").stdout)["addon"].endswith("main.py")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mitmproxy's own, on import
@pytest.mark.parametrize("tool", ["mitmweb", "mitmdump"])
def test_mitmproxys_tools_get_the_addon_and_all_arguments_unchanged(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(f"mitmproxy.tools.main.{tool}", given.extend)
    monkeypatch.setattr("sys.argv", ["secondhand"])
    main = str(Path(__file__).parents[3] / "addon" / "main.py")
    assert run(tool, "--set", "a=b", "--help", "--", "-x", "~u foo").exit_code == 0
    assert given == ["-s", main, "--set", "a=b", "--help", "--", "-x", "~u foo"]
    assert sys.argv == [f"secondhand {tool}"]  # the name of the program in its messages


def test_mitmdump_is_the_real_one() -> None:
    assert "Mitmproxy: " in on_a_terminal("mitmdump", "--version")


def test_version_prints_three_versions() -> None:
    assert re.fullmatch(r"secondhand .+\nmitmproxy 1\d\..+\npython 3\..+\n", run("version").stdout)
    assert run("--version").stdout == run("version").stdout
    assert set(json.loads(run("version", "--json").stdout)) == {"secondhand", "mitmproxy", "python"}
