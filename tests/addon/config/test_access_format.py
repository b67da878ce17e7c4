"""The format of the access log: which variables there are, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.config.access_format import VARIABLES, checked_format, pieces
from tests.fixtures.documentation import PAGES
from tests.fixtures.settings_files import faults


def test_a_format_is_text_and_variables() -> None:
    assert pieces("a $status${site}b") == [("a ", "status"), ("", "site"), ("b", "")]
    assert pieces("$http_x_forwarded_proto")[0] == ("", "http_x_forwarded_proto")


@pytest.mark.parametrize("name", ["common", "combined", "json", "$status"])
def test_formats_with_names_and_variables_are_accepted(name: str) -> None:
    assert checked_format(name) == name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", 'expected "common", "combined", "json", or'),
        ("apache", 'expected "common", "combined", "json", or'),
        ("$status\n$uri", 'expected "common", "combined", "json", or'),
        ("$nothing", "expected a format with these variables: $remote_addr"),
        ("100 $", "expected a format with these variables"),
        ("$http_", "expected a format with these variables"),
        ("$http_authorization", "since it may be a password"),
        ("$http_cookie", "since it may be a password"),
        ("$http_x_api_key", "since it may be a password"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused_at_the_start(value: str, expected: str, tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "log.access_format = " + json.dumps(value))
    assert expected in fault


def test_the_documentation_describes_every_variable() -> None:
    page = (PAGES / "observability.md").read_text()
    for name, meaning in VARIABLES.items():
        assert f"| `${name}` | {meaning} |" in page
