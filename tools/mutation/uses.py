"""Lines that use a global variable of a module, directly or through other global variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tools.mutation.coverage import Lines


def defined_at(source: str, line: int) -> set[str]:
    """Return the names that the global assignment at a line defines; empty if the line is not part of one."""
    return {name for statement in _assignments(source) if line in _span(statement) for name in _targets(statement)}


def uses(names: set[str], sources: Mapping[str, str]) -> Lines:
    """Return the lines inside functions that depend on any of the names, by module."""
    names, previous = set(names), set[str]()
    while names != previous:
        previous = set(names)
        for source in sources.values():
            for statement in _assignments(source):
                if names & _named(statement.value):
                    names.update(_targets(statement))
    return {module: set(_lines(source, names)) for module, source in sources.items()}


def _assignments(source: str) -> list[ast.Assign | ast.AnnAssign]:
    """Return the global assignments of a module."""
    return [node for node in ast.parse(source).body if isinstance(node, ast.Assign | ast.AnnAssign)]


def _targets(statement: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _named(node: ast.AST | None) -> set[str]:
    """Return all names and attribute names in a node."""
    nodes = ast.walk(node) if node else ()
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in nodes
        if isinstance(part, ast.Name | ast.Attribute)
    }


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _lines(source: str, names: set[str]) -> Iterator[int]:
    """Iterate over the lines inside functions that use any of the names."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for part in ast.walk(function):
                if isinstance(part, ast.Name | ast.Attribute) and _named(part) & names:
                    yield from range(part.lineno, (part.end_lineno or part.lineno) + 1)
