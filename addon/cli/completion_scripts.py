"""Scripts that complete commands and options in a shell. They have all words in them, so the Tab key need not wait."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from addon.cli.command_tree import CommandHelp, Option


class CompletedShell(StrEnum):
    """The shells that have a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


RUN = "/run"
"""The command that is followed by another program and its arguments."""


def completion_script(program: CommandHelp, shell: CompletedShell) -> str:
    """Return the script for a shell."""
    return "\n".join(_SCRIPTS[shell](list(program.with_all_below()))) + "\n"


def _place(command: CommandHelp) -> str:
    """Return the words of a command in the form that the scripts use: `/trust/export`; empty for the program."""
    return "".join(f"/{word}" for word in command.path[1:])


def _with_value(commands: list[CommandHelp]) -> Iterator[tuple[str, Option]]:
    """Iterate over the options that take a value, each with a pattern for its command and its names."""
    for command in commands:
        for option in command.options:
            if option.value:
                yield "|".join(f"{_place(command)}:{name}" for name in option.names), option


def _bash(commands: list[CommandHelp]) -> Iterator[str]:
    places = "|".join(filter(None, map(_place, commands)))
    yield "# Completes the commands and options of secondhand in bash."
    yield "_secondhand() {"
    yield '    local current=${COMP_WORDS[COMP_CWORD]} at="" subcommands="" options="" i'
    yield "    COMPREPLY=()"
    yield "    for ((i = 1; i < COMP_CWORD; i++)); do"
    yield f'        if [[ "$at" == {RUN} && "${{COMP_WORDS[i]}}" == -- ]]; then'
    yield '            ((i + 1 == COMP_CWORD)) && COMPREPLY=($(compgen -c -- "$current"))'
    yield "            return"
    yield "        fi"
    yield '        case "$at/${COMP_WORDS[i]}" in'
    yield f"            {places}) at+=/${{COMP_WORDS[i]}} ;;"
    yield "        esac"
    yield "    done"
    yield '    case "$at:${COMP_WORDS[COMP_CWORD - 1]}" in'
    for pattern, option in _with_value(commands):  # other values are completed as files
        yield f'        {pattern}) COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$current")); return ;;'
    yield "    esac"
    yield '    case "$at" in'
    for command in commands:
        below = " ".join(each.path[-1] for each in command.commands)
        options = " ".join(name for option in command.options for name in option.names)
        yield f'        {_place(command) or '""'}) subcommands="{below}" options="{options}" ;;'
    yield "    esac"
    yield '    [[ "$current" == -* ]] && subcommands=$options'
    yield '    COMPREPLY=($(compgen -W "$subcommands" -- "$current"))'
    yield "}"
    yield "complete -o bashdefault -o default -F _secondhand secondhand"


def _zsh(commands: list[CommandHelp]) -> Iterator[str]:
    places = "|".join(filter(None, map(_place, commands)))
    yield "#compdef secondhand"
    yield "# Completes the commands and options of secondhand in zsh."
    yield "_secondhand() {"
    yield '    local at="" i'
    yield "    local -a subcommands options"
    yield "    for ((i = 2; i < CURRENT; i++)); do"
    yield f'        if [[ "$at" == {RUN} && "$words[i]" == -- ]]; then'
    yield "            shift $i words; ((CURRENT -= i)); _normal; return"
    yield "        fi"
    yield '        case "$at/$words[i]" in'
    yield f"            {places}) at+=/$words[i] ;;"
    yield "        esac"
    yield "    done"
    yield '    case "$at:$words[CURRENT-1]" in'
    for pattern, option in _with_value(commands):
        values = f"compadd -- {' '.join(option.choices)}" if option.choices else "_files"
        yield f"        {pattern}) {values}; return ;;"
    yield "    esac"
    yield '    case "$at" in'
    for command in commands:
        below = " ".join(_described(each.path[-1], each.summary) for each in command.commands)
        options = " ".join(_described(name, option.text) for option in command.options for name in option.names)
        yield f"        {_place(command) or '""'}) subcommands=({below}) options=({options}) ;;"
    yield "    esac"
    yield '    if [[ "$words[CURRENT]" == -* ]]; then'
    yield "        _describe option options"
    yield "    elif (($#subcommands)); then"
    yield "        _describe command subcommands"
    yield "    else"
    yield "        _files"
    yield "    fi"
    yield "}"
    yield 'if [[ "$funcstack[1]" == _secondhand ]]; then _secondhand "$@"; else compdef _secondhand secondhand; fi'


def _described(word: str, text: str) -> str:
    """Return a word and its description for `_describe` of zsh."""
    escaped = text.replace("\\", "\\\\").replace(":", "\\:")
    return shlex.quote(f"{word}:{escaped}")


def _fish(commands: list[CommandHelp]) -> Iterator[str]:
    yield "# Completes the commands and options of secondhand in fish."
    yield "function __secondhand_at"
    yield '    set -l at ""'
    yield "    for word in (commandline -opc)[2..]"
    yield '        switch "$at/$word"'
    yield f"            case {' '.join(filter(None, map(_place, commands)))}"
    yield '                set at "$at/$word"'
    yield "        end"
    yield "    end"
    yield '    test "$at" = "$argv[1]"'
    yield "end"
    for command in commands:
        line = f"complete -c secondhand -n '__secondhand_at \"{_place(command)}\"'"
        for below in command.commands:
            yield f"{line} -f -a {below.path[-1]} -d {_quoted(below.summary)}"
        for option in command.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            choices = f" -x -a {_quoted(' '.join(option.choices))}" if option.choices else " -r" if option.value else ""
            yield f"{line} {names}{choices} -d {_quoted(option.text)}"
    yield f"complete -c secondhand -n '__secondhand_at {RUN}' -x -a '(__fish_complete_subcommand --fcs-skip=2)'"


def _quoted(text: str) -> str:
    """Return text in single quotes, as fish reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SCRIPTS: Mapping[CompletedShell, Callable[[list[CommandHelp]], Iterator[str]]] = {
    CompletedShell.BASH: _bash,
    CompletedShell.ZSH: _zsh,
    CompletedShell.FISH: _fish,
}
