"""The table `[codings]`."""

from __future__ import annotations

from typing import Any

import pytest

from addon.config.settings import Settings

EDGE = {"edge": "http://127.0.0.1:8000"}
SITE = {"site": [{"hosts": ["example.org"], "origins": ["http://127.0.0.1:8000"]}]}


@pytest.mark.parametrize(
    ("tables", "chosen", "classes"),
    [
        ({}, "auto", False),
        (EDGE, "auto", True),
        (SITE, "auto", True),
        (EDGE, "as-sent", False),
        ({}, "classes", True),
    ],
)
def test_accept_encoding_is_a_class_at_an_edge_unless_set_otherwise(
    tables: dict[str, Any], chosen: str, *, classes: bool
) -> None:
    settings = Settings.model_validate({**tables, "codings": {"accept_encoding": chosen}})
    assert settings.policy().codings.classes is classes
