"""The help of every command: complete sentences, no types of Python, no line longer than the terminal."""

from __future__ import annotations

import re

import pytest

from addon.cli.command_tree import CommandHelp
from addon.cli.commands import COMMANDS, Use
from tests.fixtures.all_commands import ALL_COMMANDS, PROGRAM, WITH_OWN_HELP, words_of
from tests.fixtures.command_line import secondhand
from tests.fixtures.terminals import on_a_terminal

EVERY_COMMAND = pytest.mark.parametrize("command", WITH_OWN_HELP, ids=words_of)


@pytest.mark.parametrize("path", [(), ("why",), ("trust", "install"), ("queue",)])
def test_help_followed_by_a_command_is_the_help_of_that_command(path: tuple[str, ...]) -> None:
    result = secondhand("help", *path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == secondhand(*path, "--help").stdout
    assert secondhand("help", "whyy").exit_code == 2


@EVERY_COMMAND
@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_longer_than_the_terminal(
    command: CommandHelp, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = secondhand(*command.path[1:], "--help")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert secondhand(*command.path[1:], "-h").stdout == result.stdout


@EVERY_COMMAND
def test_sentences_are_complete(command: CommandHelp) -> None:
    words = " ".join(secondhand(*command.path[1:], "--help").stdout.split())
    texts = [text for _, text in command.arguments] + [option.text for option in command.options]
    for text in [command.description, *texts, *(each.summary for each in command.commands)]:
        assert " ".join(text.split()) in words
        assert not text.endswith("...")


@EVERY_COMMAND
def test_no_type_of_python_is_shown(command: CommandHelp) -> None:
    shown = secondhand(*command.path[1:], "--help").stdout
    assert not re.search(r"<|\b(TEXT|INTEGER|FLOAT|BOOLEAN|PATH|str|int|float)\b|<=x", shown)
    values = {option.value for option in command.options if not option.choices}
    assert all(value.isupper() for value in values - {""}), values


def test_every_use_has_its_heading() -> None:
    lines = secondhand("--help").stdout.splitlines()
    assert [line.removesuffix(":") for line in lines if line.removesuffix(":") in list(Use)] == list(Use)
    names = [match[1] for line in lines if (match := re.match(r"  ([a-z]+) +[A-Z]", line))]
    assert names == [command.name for command in COMMANDS] == [each.path[-1] for each in PROGRAM.commands]


def test_every_command_has_an_example_or_commands() -> None:
    for command in ALL_COMMANDS[1:]:
        assert command.commands or f"Example: {'' if '$' in command.note else 'secondhand'}" in command.note, (
            command.path
        )


def test_headings_are_bold_on_a_terminal_except_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1mOptions" in on_a_terminal("--help")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_a_terminal("--help")


WITHOUT_JSON = {
    *("run", "serve", "mitmweb", "mitmdump", "page"),  # they run until something ends, or open a page
    *("env", "completion", "config schema"),  # their output is for another program already
    *("trust install", "trust uninstall", "queue clear"),  # they change something, and print no table
}


def test_every_command_that_prints_something_can_print_json() -> None:
    leaves = [command for command in ALL_COMMANDS if not command.commands]
    without = {command for command in leaves if not any("--json" in option.names for option in command.options)}
    assert {" ".join(command.path[1:]) for command in without} == WITHOUT_JSON
