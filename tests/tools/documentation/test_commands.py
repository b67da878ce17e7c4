"""The reference of the command line has every command and every option, as --help prints them."""

from __future__ import annotations

import re

import pytest

from addon.cli.command_tree import CommandHelp
from tests.fixtures.command_line import secondhand
from tools.documentation.commands import all_commands, page


@pytest.fixture(scope="module")
def text() -> str:
    return page()


def section(text: str, command: CommandHelp) -> str:
    """Return what the page says about one command."""
    match = re.search(rf"(?ms)^##+ {re.escape(' '.join(command.path))}\n(.*?)(?=^##|\Z)", text)
    assert match, command.path
    return match[1]


PASSED_ON = (("secondhand", "mitmweb"), ("secondhand", "mitmdump"))
"""Commands whose options are those of mitmproxy, which prints the help about them."""


@pytest.mark.parametrize(
    "command",
    [each for each in all_commands() if each.path not in PASSED_ON],
    ids=lambda command: " ".join(command.path),
)
def test_a_command_has_the_options_and_commands_that_its_help_has(command: CommandHelp, text: str) -> None:
    shown = secondhand(*command.path[1:], "--help").stdout
    in_help = set(re.findall(r"(?m)^  +(?:-\w, )?(--[a-z0-9-]+)", shown)) - {"--help"}
    assert in_help == set(re.findall(r"(?m)^\| `(?:-\w, )?(--[a-z0-9-]+)", section(text, command)))
    for below in command.commands:
        assert re.search(rf"(?m)^  {below.path[-1]} ", shown)
        assert section(text, below)


def test_no_type_of_python_is_shown(text: str) -> None:
    assert not re.search(r"<(str|int|Path|bool|float|list\[.*?\])>", text)
