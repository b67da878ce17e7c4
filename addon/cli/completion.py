"""`secondhand completion`: print a script that completes commands and options in a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from addon.cli.command_tree import command_tree
from addon.cli.completion_scripts import CompletedShell, completion_script


def completion(
    context: typer.Context,
    shell: Annotated[CompletedShell, typer.Argument(metavar="SHELL", help="One of bash, zsh and fish.")],
) -> None:
    """Print a script that completes commands and options in a shell.

    Write it where the shell finds it, and again after an upgrade:

    bash: ~/.local/share/bash-completion/completions/secondhand

    zsh: the file _secondhand in a folder of $fpath

    fish: ~/.config/fish/completions/secondhand.fish
    """
    typer.echo(completion_script(command_tree(context.find_root().command), shell), nl=False)
