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


def test_compression_is_off_by_default_and_of_text_and_what_is_like_it() -> None:
    assert Settings().policy().codings.compress == ()
    settings = Settings.model_validate({"codings": {"compress": ["zstd", "gzip"], "min_size": "2 KiB"}})
    codings = settings.policy().codings
    assert (codings.compress, codings.min_size) == (("zstd", "gzip"), 2048)
    kinds = ["text/css", "image/svg+xml", "application/json", "application/ld+json", "font/ttf", "application/wasm"]
    others = ["image/png", "font/woff2", "application/octet-stream", "video/mp4", "application/zip", ""]
    compressed = [kind for kind in kinds + others if any(each.fullmatch(kind) for each in codings.content_types)]
    assert compressed == kinds


def test_an_unknown_coding_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codings\.compress"):
        Settings.model_validate({"codings": {"compress": ["deflate"]}})
