"""The page about the admin API has an example for each operation."""

from __future__ import annotations

import re
from pathlib import Path

from addon.serve.admin.operations import OPERATIONS

PAGE = (Path(__file__).parents[4] / "docs" / "admin.md").read_text()


def test_each_operation_has_a_command_that_uses_it() -> None:
    commands = re.findall(r"^    (curl .*)", PAGE, re.MULTILINE)
    for operation in OPERATIONS:
        given = "" if operation.method == "GET" else f"-X {operation.method} "
        assert [each for each in commands if f"$admin{operation.path}" in each and given in each], operation
    assert all(path in PAGE for path in ("$admin/healthz", "$admin/readyz", "$admin/openapi.json"))
