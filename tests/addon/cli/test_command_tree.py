"""All commands as data."""

from __future__ import annotations

from addon.cli.command_tree import Option
from tests.fixtures.all_commands import ALL_COMMANDS


def option(command: str, name: str) -> Option:
    [found] = [
        option
        for each in ALL_COMMANDS
        if each.path[1:] == tuple(command.split())
        for option in each.options
        if name in option.names
    ]
    return found


def test_an_option_has_its_names_and_its_value() -> None:
    header = option("why", "-H")
    assert (header.names, header.value, header.choices) == (("-H", "--header"), "'NAME: VALUE'", ())
    assert (option("ls", "--json").value, option("trust export", "--out").value) == ("", "FILE")
    assert option("serve", "--no-door").names == ("--door", "--no-door")


def test_an_option_with_choices_has_them_without_placeholders() -> None:
    assert option("why", "--as").choices == ("curl", "pip", "npm", "browser")
    assert option("serve", "--workers").choices == ("auto",)


def test_an_option_is_labelled_with_its_names_and_its_value() -> None:
    assert option("why", "-H").label == "-H, --header 'NAME: VALUE'"
    assert option("ls", "--json").label == "--json"


def test_only_a_note_that_is_an_example_is_one() -> None:
    examples = {each.path: each.example for each in ALL_COMMANDS}
    assert examples["secondhand", "config", "init"] == "secondhand config init"
    assert examples["secondhand",] == ""  # its note lists the exit codes
