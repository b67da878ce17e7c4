"""Fixtures of the tests of the running proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.web_origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin
