"""The targets, one module each.

A target is a function of bytes, `check`, which raises nothing for any bytes. It asserts what the parser that it calls
promises, and catches only the exceptions that the parser is documented to raise. A module may also have `TOKENS`: words
of its format, which the engine puts into its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
"""The inputs to begin with: one folder for each target, with its name."""

NAMES = tuple(sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py")))
"""The names of all targets."""


@dataclass(frozen=True, slots=True)
class Target:
    """A function that must raise nothing for any bytes, and what helps to find bytes for which it does."""

    name: str
    check: Callable[[bytes], None]
    tokens: Sequence[bytes]

    @property
    def corpus(self) -> Path:
        """The folder of the inputs to begin with."""
        return CORPUS / self.name


def target_of(name: str) -> Target:
    """Return the target of that name. Raises ModuleNotFoundError if there is none."""
    module = import_module(f"{__name__}.{name}")
    return Target(name, module.check, getattr(module, "TOKENS", ()))
