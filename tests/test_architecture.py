"""The house: who may import whom, how large a file may grow, how reasons are named.

`cache/` is pure above the stores line: no clock, no sockets, no files, no mitmproxy. A module imports only modules
listed before it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.policy import reasons
from cache.policy.reason_texts import clause

ROOT = Path(__file__).parents[1]

ABOVE_THE_STORES_LINE = """
    messages reasons fields structured json_text keeping policy entry fieldtable directives groups scrubbing
    stored_fields freshness no_vary_search ownership key poisoning storing captures validation pieces ranges digests
    answers cachestatus annotations exemptions partial authority decisions
    destinations selection invalidation forwarding consequences on_request on_response engine
    clauses explanation
""".split()

BELOW = "codec stores flight".split()

# what a pure rule has no use for: time, chance, other processes, the machine
FORBIDDEN = frozenset(
    "addon asyncio diskcache httptools logging mitmproxy multiprocessing os pathlib random secrets select"
    " selectors shutil signal socket sqlite3 ssl subprocess sys tempfile threading time uuid".split()
)

MAX_LINES = 250

REASONS = (reasons.Forwarded, reasons.Detail, reasons.NotStored, reasons.Refused, reasons.Dropped)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, by its full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where things are"
            base = node.module or ""
            yield from (f"{base}.{alias.name}" for alias in node.names) if base == "cache" else [base]


def test_every_module_of_the_cache_has_its_place() -> None:
    names = {path.stem for path in (ROOT / "cache").glob("*.py")} - {"__init__"}
    assert names == {*ABOVE_THE_STORES_LINE, *BELOW} - {"stores"}


@pytest.mark.parametrize("name", ABOVE_THE_STORES_LINE)
def test_a_rule_imports_only_what_stands_before_it_and_nothing_of_the_machine(name: str) -> None:
    before = ABOVE_THE_STORES_LINE[: ABOVE_THE_STORES_LINE.index(name)]
    for module in imported(ROOT / "cache" / f"{name}.py"):
        top, _, rest = module.partition(".")
        assert top not in FORBIDDEN, f"cache/{name}.py imports {module}"
        if top == "cache":
            assert rest.partition(".")[0] in before, f"cache/{name}.py imports {module}, which does not stand before it"


@pytest.mark.parametrize("name", ABOVE_THE_STORES_LINE)
def test_a_rule_never_asks_what_time_it_is(name: str) -> None:
    tree = ast.parse((ROOT / "cache" / f"{name}.py").read_text())
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert asked.isdisjoint({"now", "utcnow", "today"}), f"cache/{name}.py"


def test_the_cache_does_not_know_what_uses_it() -> None:
    for path in modules("cache"):
        for module in imported(path):
            assert module.partition(".")[0] not in ("addon", "mitmproxy", "tests"), f"{path} imports {module}"


@pytest.mark.parametrize("folder", ["cache", "addon"])
def test_a_file_is_one_idea(folder: str) -> None:
    long = {path.name: lines for path in modules(folder) if (lines := len(path.read_text().splitlines())) > MAX_LINES}
    assert not long


def test_nobody_pickles() -> None:
    for path in [*modules("cache"), *modules("addon")]:
        assert not {"pickle", "marshal", "shelve", "dill"} & set(imported(path)), path


def test_every_reason_is_a_token_and_has_its_clause() -> None:
    for reason in (reason for kind in REASONS for reason in kind):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reason), reason
        assert clause(reason).sentence
        assert re.fullmatch(r"RFC [0-9]{4} §[0-9.]+|ours", clause(reason).source), clause(reason)
