"""Mutants: copies of a module's source with one small change each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cache.policy import reasons

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
NEGATING = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
"""For these, the swapped operator gives the negated comparison."""

REASONS = ("Forwarded", "Detail", "NotStored", "Refused", "Dropped")
"""Enumerations in `cache.policy.reasons`."""


@dataclass(frozen=True)
class Mutant:
    """One module with one change."""

    module: str
    line: int
    last_line: int
    what: str
    """Description of the change."""
    at_import: bool
    """The change is outside of all functions, so that it takes effect when the module is imported."""
    source: str
    """The whole changed module."""

    def __str__(self) -> str:
        return f"{self.module.replace('.', '/')}.py:{self.line}: {self.what}"


@dataclass(frozen=True)
class _Site:
    """An expression, the description of a change, and the expression to put in its place."""

    node: ast.expr
    what: str
    changed: ast.expr


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Iterate over the mutants of a module. `module` is its dotted name."""
    tree = ast.parse(source)
    inside = _inside_functions(tree)
    for site in list(sites(tree)):
        first, last = site.node.lineno, site.node.end_lineno or site.node.lineno
        with _changed(tree, site):
            yield Mutant(module, first, last, site.what, id(site.node) not in inside, ast.unparse(tree))


def sites(tree: ast.Module) -> Iterator[_Site]:
    """Iterate over the changes that can be made in a module."""
    conditions = {id(condition) for node in ast.walk(tree) for condition in _conditions(node)}
    ignored = {id(part) for node in ast.walk(tree) for part in _not_code(node)}
    compared = {
        id(side) for node in ast.walk(tree) if isinstance(node, ast.Compare) for side in [node.left, *node.comparators]
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr) or id(node) in ignored:
            continue
        if id(node) in conditions:
            yield _Site(node, f"negate {ast.unparse(node)}", _negated(node))
        match node:
            case ast.BoolOp():
                yield from _without_operands(node)
            case ast.Compare() if not (id(node) in conditions and isinstance(node.ops[0], NEGATING)):
                yield from _swapped(node)
            case ast.Constant(value=int() as number) if not isinstance(number, bool):
                yield _Site(node, f"{number} becomes {number + 1}", ast.Constant(number + 1))
            case ast.Attribute(value=ast.Name(id=kind), attr=name) if kind in REASONS and id(node) not in compared:
                yield _Site(node, f"{kind}.{name} becomes another", _another_reason(node, kind, name))
            case ast.Call(func=ast.Attribute(value=fields, attr="without")):
                yield _Site(node, f"drop {ast.unparse(node)[-60:]}", fields)


def _conditions(node: ast.AST) -> list[ast.expr]:
    """Return the expressions that a node uses as conditions."""
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            return [node.test]
        case ast.comprehension():
            return node.ifs
        case ast.match_case(guard=ast.expr() as guard):
            return [guard]
    return []


def _not_code(node: ast.AST) -> Iterator[ast.AST]:
    """Iterate over the type annotations and decorators of a node."""
    match node:
        case ast.AnnAssign():
            yield from ast.walk(node.annotation)
        case ast.arg(annotation=ast.expr() as annotation):
            yield from ast.walk(annotation)
        case ast.FunctionDef():
            for part in (*node.decorator_list, *([node.returns] if node.returns else [])):
                yield from ast.walk(part)


def _negated(node: ast.expr) -> ast.expr:
    """Return `not node`, or the operand if the node is a `not` itself."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _without_operands(node: ast.BoolOp) -> Iterator[_Site]:
    """Iterate over the changes that drop one operand of `and` or `or`."""
    for dropped in node.values:
        kept = [value for value in node.values if value is not dropped]
        changed = kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
        yield _Site(node, f"drop {ast.unparse(dropped)} from {type(node.op).__name__.lower()}", changed)


def _swapped(node: ast.Compare) -> Iterator[_Site]:
    """Iterate over the changes that swap one operator of a comparison."""
    for index, op in enumerate(node.ops):
        ops = [*node.ops[:index], SWAPPED[type(op)](), *node.ops[index + 1 :]]
        changed = ast.Compare(node.left, ops, node.comparators)
        yield _Site(node, f"{ast.unparse(node)} becomes {ast.unparse(changed)}", changed)


def _another_reason(node: ast.Attribute, kind: str, name: str) -> ast.expr:
    """Return the next member of the same enumeration."""
    names = list(getattr(reasons, kind).__members__)
    return ast.Attribute(node.value, names[(names.index(name) + 1) % len(names)], ast.Load())


def _inside_functions(tree: ast.Module) -> set[int]:
    """Return the `id` of all nodes that run when a function is called, and not when the module is imported."""
    inside = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            body = node.body if isinstance(node.body, list) else [node.body]
            inside |= {id(part) for child in body for part in ast.walk(child)}
    return inside


@contextmanager
def _changed(tree: ast.Module, site: _Site) -> Iterator[None]:
    """Change the tree, and undo the change at the end of the context."""
    parent, field, index = next(_parents(tree, site.node))
    container: dict[str, ast.AST] | list[ast.AST] = vars(parent) if index is None else getattr(parent, field)
    key: Any = field if index is None else index
    container[key] = site.changed
    yield
    container[key] = site.node


def _parents(tree: ast.Module, node: ast.expr) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Iterate over the parents of a node: parent, its field, and the index in the field if that is a list."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is node:
                yield parent, field, None
            elif isinstance(value, list):
                yield from ((parent, field, index) for index, each in enumerate(value) if each is node)
