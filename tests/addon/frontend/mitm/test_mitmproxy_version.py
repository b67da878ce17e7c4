"""The releases of mitmproxy that the cache accepts without a message."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from addon.frontend.mitm.mitmproxy_version import NEXT, OLDEST, untested

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"


@pytest.mark.parametrize("found", ["12.2.0", "12.2.3", "12.3.1", "12.3.9"])
def test_a_tested_release_is_accepted_without_a_word(found: str) -> None:
    assert untested(found) is None


@pytest.mark.parametrize("found", ["12.1.2", "12.4.0", "13.0.0.dev"])
def test_another_release_gets_a_sentence(found: str) -> None:
    assert f"mitmproxy {found} was not tested" in str(untested(found))


def test_the_package_demands_the_same_releases() -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]

    assert f"mitmproxy>={OLDEST},<{NEXT}" in dependencies
