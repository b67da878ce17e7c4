"""Rewrites modules so that mypyc makes native classes of their classes, and fast constructors for their records.

A native class has just the attributes that its source names, so it needs no slots. It can derive from native classes
only. mypyc does not compile the constructor that `dataclass` makes, but one that is written down.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

IMPORTS = """
from dataclasses import dataclass as _dataclass
from typing import TYPE_CHECKING as _TYPE_CHECKING
if _TYPE_CHECKING:  # a compiled module does not need it
    from mypy_extensions import mypyc_attr as _mypyc_attr
"""
INTERPRETED_BASES = ("asyncio.Protocol", "asyncio.BufferedProtocol")
"""Bases that are dropped: the classes that derive from them have all methods that the event loop calls."""


def rewritten(source: str, subclassed: frozenset[str]) -> str:
    """Return the source of a module for mypyc. `subclassed` names its classes from which interpreted ones derive."""
    tree = ast.parse(source)
    for kind in [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]:
        kind.body = [statement for statement in kind.body if not _is_slots(statement)]
        kind.bases = [base for base in kind.bases if ast.unparse(base) not in INTERPRETED_BASES]
        for decorator in kind.decorator_list:
            if isinstance(decorator, ast.Call):
                decorator.keywords = [each for each in decorator.keywords if each.arg != "slots"]
        if any(ast.unparse(decorator) == "record" for decorator in kind.decorator_list):
            _write_constructor(kind, tree)
        if kind.name in subclassed:
            kind.decorator_list.insert(0, _expression("_mypyc_attr(allow_interpreted_subclasses=True)"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "_thread":
            node.attr = "_thread_"  # mypyc puts a "_" before it, and "__thread" is a keyword of C
    first = next(
        number
        for number, statement in enumerate(tree.body)
        if not isinstance(statement, ast.Expr) and not ast.unparse(statement).startswith("from __future__")
    )
    tree.body[first:first] = ast.parse(IMPORTS).body
    return ast.unparse(ast.fix_missing_locations(tree))


def subclasses(source: str) -> Iterator[tuple[str, str]]:
    """Iterate over the classes from which the classes of a module derive, as imported: module and name."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        for base in node.bases if isinstance(node, ast.ClassDef) else []:
            if isinstance(base, ast.Name) and base.id in imported:
                yield imported[base.id]


def _expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def _is_slots(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__slots__"


def _write_constructor(kind: ast.ClassDef, module: ast.Module) -> None:
    """Make a record a dataclass whose constructor is written down."""
    statements = [statement for each in _lineage(kind, module) for statement in each.body]
    methods = {statement.name for statement in statements if isinstance(statement, ast.FunctionDef)}
    hashed = "" if "__hash__" in methods else ", unsafe_hash=True"
    kind.decorator_list = [_expression(f"_dataclass(init=False{hashed})")]
    parameters, body = ["self"], []
    for field in filter(_is_field, statements):
        parameter, value = _parameter_and_value(field)
        parameters += [parameter] if parameter else []
        body.append(f"    self.{ast.unparse(field.target)} = {value}")
    if "__post_init__" in methods:
        body.append("    self.__post_init__()")
    constructor = "\n".join([f"def __init__({', '.join(parameters)}) -> None:", *(body or ["    pass"])])
    kind.body += ast.parse(constructor).body


def _parameter_and_value(field: ast.AnnAssign) -> tuple[str, str]:
    """Return the parameter for a field, empty if it has none, and what the constructor sets it to."""
    name, annotation, default = ast.unparse(field.target), ast.unparse(field.annotation), field.value
    if default is None:
        return f"{name}: {annotation}", name
    if not isinstance(default, ast.Call) or ast.unparse(default.func) != "field":
        return f"{name}: {annotation} = {ast.unparse(default)}", name
    given = {str(each.arg): ast.unparse(each.value) for each in default.keywords}
    made = f"{given['default_factory']}()" if "default_factory" in given else given.get("default", "")
    if given.get("init") == "False":
        return "", made
    if "default_factory" in given:
        return f"{name}: {annotation} | None = None", f"{made} if {name} is None else {name}"
    return f"{name}: {annotation}" + (f" = {made}" if made else ""), name


def _lineage(kind: ast.ClassDef, module: ast.Module) -> list[ast.ClassDef]:
    """Return the classes in the module from which a class derives, and the class itself, which is the last one."""
    bases = {ast.unparse(base) for base in kind.bases}
    found = [each for each in module.body if isinstance(each, ast.ClassDef) and each.name in bases]
    return [*(each for base in found for each in _lineage(base, module)), kind]


def _is_field(statement: ast.stmt) -> TypeGuard[ast.AnnAssign]:
    return isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation)
