"""Local rules for fields: faults name the key, and some fields are reserved."""

from pathlib import Path

import pytest

from addon.config.annotations import is_reserved
from tests.fixtures.settings_files import configured, faults

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        (
            'set = { "Content-Length" = "5" }',
            'annotate#1.set: found "Content-Length", expected a field that a local rule may change;'
            " Content-Length is framing, a hop-by-hop field, or the proxy's own",
        ),
        (
            'append = { ETag = "x" }',
            'annotate#1.append: found "ETag", expected a field that a local rule may set;'
            " ETag is the origin's validator and can only be removed",
        ),
        ('remove = ["Age"]', 'annotate#1.remove#1: found "Age", expected a field that a local rule may change;'),
        ('remove = ["a b"]', 'annotate#1.remove#1: found "a b", expected the name of a field, like "X-Copy-Of"'),
        (
            'set = { X = "a\\r\\nSet-Cookie: b" }',
            r'annotate#1.set.X: found "a\r\nSet-Cookie: b", expected a field value: Latin-1 characters,',
        ),
        ('set = { X = "€" }', 'annotate#1.set.X: found "€", expected a field value: Latin-1 characters,'),
        (
            'set = { X = "{wheather}" }',
            'annotate#1.set.X: found "{wheather}", expected a known placeholder in place of {wheather}: {age}, ',
        ),
        ('host = "a"', "annotate#1: found a table, expected at least one field in set, append or remove"),
        ("set = { X = 5 }", "annotate#1.set.X: found 5, expected a string"),
    ],
)
def test_a_fault_in_an_annotation_names_the_key(tmp_path: Path, annotation: str, fault: str) -> None:
    [line] = faults(tmp_path, f"[[annotate]]\n{annotation}")
    assert line.startswith(f"config.toml: {fault}")


@pytest.mark.parametrize(
    "name",
    [
        "Age",
        "Via",
        "Date",
        "Cache-Status",
        "Proxy-Status",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Content-Length",
        "Content-Range",
        "Content-Encoding",
    ],
)
def test_framing_and_the_proxys_own_fields_are_reserved(name: str) -> None:
    assert is_reserved(name)
    assert is_reserved(name.lower())


def test_other_braces_in_an_annotation_are_literal(tmp_path: Path) -> None:
    text = """[[annotate]]\nset = { Report-To = '{"group": "x", "endpoints": []} {age}' }"""
    assert configured(tmp_path, text).settings.annotate[0].set["Report-To"].endswith("{age}")
