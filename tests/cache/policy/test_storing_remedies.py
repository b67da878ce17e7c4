"""For each reason not to store a response, the change after which it is stored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cache.policy.reasons import NotStored
from cache.policy.storing_remedies import remedy_of

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


@pytest.mark.parametrize("reason", NotStored)
def test_each_reason_has_a_remedy_and_the_settings_in_it_exist(reason: NotStored) -> None:
    remedy = remedy_of(reason)
    assert remedy
    documented = EXAMPLE.read_text()
    for table, key in re.findall(r"(?<!\[)\b(cache|offline|store)\.([a-z_]+)", remedy):
        assert re.search(rf"^(# )?\[+{table}\]+$", documented, re.MULTILINE), table
        assert re.search(rf"^(# )?{key} = ", documented, re.MULTILINE), key
    for name in re.findall(r"\[\[([a-z.]+)\]\]", remedy):
        assert f"[[{name}]]" in documented, name
