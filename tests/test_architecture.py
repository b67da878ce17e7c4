"""The architecture: which folder may import which, what a pure rule may not use, and the shape of files and calls.

docs/architecture.md draws these layers; the files that it and docs/glossary.md name must exist.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cache.policy import reasons
from cache.policy.reason_texts import text_of

ROOT = Path(__file__).parents[1]

CACHE_LAYERS = ("http", "policy", "rules", "answer", "engine", "stores")
"""The folders of `cache/`, lowest first. Each imports only itself and those before it."""

ADDON_LAYERS = (
    *("origin", "config", "runtime", "programs", "pipeline", "offline", "recordings"),
    *("service", "warm", "frontend", "serve", "main", "cli"),
)
"""The entries of `addon/`, lowest first. Each imports only itself, those before it, and `cache/`."""

FRONTEND_LAYERS = (
    "client_gone",
    "incoming_content",
    "connection_limits",
    "connection_shares",
    "accepting",
    "leaf_certificates",
    "exchange_marks",
    "connections",
    "gateway",
    "set_up_page",
    "frontend",
    "connect",
    "http1",
    "http2",
    "mitm",
    "questions",
    "listener",
)
"""The entries of `addon/frontend/`, lowest first."""

WARM_LAYERS = ("transport", "readers", "lockfiles", "sources", "run", "lock_file_process", "check_command")
"""The entries of `addon/warm/`, lowest first."""

MAX_ADDON_ENTRIES = 14

NOT_PURE = frozenset(
    "addon asyncio diskcache httptools logging mitmproxy multiprocessing os pathlib random secrets select"
    " selectors shutil signal socket sqlite3 ssl subprocess sys tempfile threading time uuid".split()
)
"""Modules that a pure rule must not import: time, chance, other processes, the machine."""

MAX_LINES = 400

MAX_POSITIONAL = 5

REASONS = (
    reasons.Forwarded,
    reasons.Detail,
    reasons.NotStored,
    reasons.Refused,
    reasons.Disconnected,
    reasons.StreamReset,
    reasons.Dropped,
)


def source_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Return the full name of every module that a file imports, anywhere in the file, for type checkers too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where things are"
            base = node.module or ""
            for alias in node.names:
                yield f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def layer_of(path: Path, folder: str) -> str:
    return path.relative_to(ROOT / folder).parts[0].removesuffix(".py")


FILES = [*source_files("addon"), *source_files("cache")]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ---- layers


@pytest.mark.parametrize(
    ("folder", "layers"),
    [
        ("cache", CACHE_LAYERS),
        ("addon", ADDON_LAYERS),
        ("addon/frontend", FRONTEND_LAYERS),
        ("addon/warm", WARM_LAYERS),
    ],
    ids=["cache", "addon", "frontend", "warm"],
)
def test_every_folder_imports_only_layers_below_it(folder: str, layers: tuple[str, ...]) -> None:
    package = folder.replace("/", ".")
    files = {path.name for path in (ROOT / folder).iterdir()} - {"__pycache__", "py.typed"}
    entries = {name.removesuffix(".py") for name in files}
    assert entries - {"__init__"} == set(layers)
    for path in source_files(folder):
        own = layer_of(path, folder)
        if own == "__init__":
            continue
        for module in imported(path):
            if module.startswith(f"{package}."):
                other = module.removeprefix(f"{package}.").partition(".")[0]
                assert layers.index(other) <= layers.index(own), f"{named(path)} imports {module}, a layer above it"


def test_only_what_starts_serve_imports_its_mitmproxy() -> None:
    """The cache inside another mitmproxy needs nothing of it."""
    folder = ROOT / "addon" / "frontend"
    for path in folder.rglob("*.py"):
        if path.parent != folder / "mitm" / "serve":
            assert not [name for name in imported(path) if name.startswith("addon.frontend.mitm.serve.")], path


def test_addon_has_few_entries() -> None:
    assert len(ADDON_LAYERS) + 1 <= MAX_ADDON_ENTRIES  # __init__.py is one


def test_the_cache_imports_nothing_that_uses_it() -> None:
    for path in source_files("cache"):
        for module in imported(path):
            assert module.partition(".")[0] not in ("addon", "mitmproxy", "tests", "tools"), f"{path} imports {module}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {
        module_name(path): {name for name in imported(path) if is_module(name)} - {module_name(path)} for path in FILES
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a circle: {' -> '.join((*trail[trail.index(name) :], name))}"
        if name not in done:
            for other in sorted(imports.get(name, ())):
                visit(other, (*trail, name))
            done.add(name)

    for name in imports:
        visit(name, ())


# ---- purity


PURE = [path for layer in CACHE_LAYERS if layer != "stores" for path in source_files(f"cache/{layer}")]


@pytest.mark.parametrize("path", PURE, ids=named)
def test_a_rule_uses_neither_the_machine_nor_the_clock(path: Path) -> None:
    for module in imported(path):
        assert module.partition(".")[0] not in NOT_PURE, f"{named(path)} imports {module}"
    attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert attributes.isdisjoint({"now", "utcnow", "today"}), named(path)


def test_nothing_is_pickled() -> None:
    for path in FILES:
        assert not {"pickle", "marshal", "shelve", "dill"} & set(imported(path)), path


# ---- files and calls


def test_every_package_says_what_is_in_it() -> None:
    for folder in ("addon", "cache"):
        for path in [ROOT / folder, *(ROOT / folder).rglob("*/")]:
            if any(path.glob("*.py")):
                assert ast.get_docstring(tree(path / "__init__.py")), f"{named(path)} has no docstring"


def test_no_docstring_begins_with_a_question() -> None:
    """A docstring says what a thing is or does. Those of attributes and constants count, too."""
    question = re.compile(r"(What|Which|Whether|Where|When|How|Why|Who)\b")
    found = [
        f"{named(path)}:{node.lineno}"
        for path in [*FILES, *source_files("tests"), *source_files("tools")]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str) and question.match(node.value.value)
    ]
    assert not found


def test_no_file_is_longer_than_one_idea() -> None:
    files = [*FILES, *source_files("tests"), *source_files("tools")]
    lengths = {named(path): len(path.read_text().splitlines()) for path in files}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_LINES}


def test_no_call_has_more_than_five_positional_arguments() -> None:
    long = [
        f"{named(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and len(node.args) > MAX_POSITIONAL
    ]
    assert not long


def test_no_private_attribute_is_used_from_outside() -> None:
    outside = [
        f"{named(path)}:{node.lineno} {ast.unparse(node)}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and re.match(r"_[a-z]", node.attr)
        and ast.unparse(node.value) not in ("self", "cls", "super()", "os")
    ]
    assert not outside


# ---- reasons and documents


def test_every_reason_is_a_token_and_has_its_clause() -> None:
    for reason in (reason for kind in REASONS for reason in kind):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reason), reason
        assert text_of(reason).sentence
        assert re.fullmatch(r"RFC [0-9]{4} §[0-9.]+|ours", text_of(reason).source), text_of(reason)


PAGES = ["README.md", "tools/bench/profile.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    names = set(re.findall(r"`((?:addon|cache|tests|tools|docs)/[A-Za-z0-9_./{},]*)`", text))
    missing = [each for name in names for each in expanded(name) if not (ROOT / each).exists()]
    assert not missing


def expanded(name: str) -> list[str]:
    """Return the names that one with braces stands for: `a/{b,c}.py` is `a/b.py` and `a/c.py`."""
    if not (braces := re.search(r"\{([^{}]*)\}", name)):
        return [name]
    parts = braces[1].split(",")
    return [each for part in parts for each in expanded(name[: braces.start()] + part + name[braces.end() :])]
