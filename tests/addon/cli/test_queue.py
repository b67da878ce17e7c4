"""`secondhand queue`: what leaves the queue, what stays, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.offline.miss_queue import MissQueue
from addon.offline.wanted import Wanted
from tests.fixtures.command_line import secondhand
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

pytestmark = pytest.mark.usefixtures("default_settings")


def queued(store: Path) -> list[str]:
    return [wanted.uri for wanted in MissQueue(store).all()]


def test_queue_run_keeps_what_is_not_stored_and_names_the_change_that_stores_it(tmp_path: Path, origin: Origin) -> None:
    fresh, gone = serve_page(origin, "/fresh"), serve_page(origin, "/gone", status=404)
    bare, secret = (
        serve_page(origin, "/bare", fields={}),
        serve_page(origin, "/s", fields={"Cache-Control": "no-store"}),
    )
    for uri in (fresh, gone, bare, secret):
        assert MissQueue(tmp_path).add(Wanted(uri))

    result = secondhand("queue", "run", "--store", tmp_path)
    assert result.exit_code == 1
    assert queued(tmp_path) == [bare, secret]
    assert "neither a lifetime nor a validator; this would change it: the origin sends max-age" in result.stderr
    assert "or offline.keep_unfresh is true" in result.stderr
    assert "2 URLs stay in the queue: try again later, or empty it with secondhand queue clear" in result.stderr

    report = json.loads(secondhand("queue", "run", "--store", tmp_path, "--json").stdout)
    assert [(row["url"], row["queued"]) for row in report] == [(bare, True), (secret, True)]
    assert "offline.keep_unfresh" in report[0]["remedy"]

    config = tmp_path / "config.toml"
    config.write_text("[offline]\nkeep_unfresh = true\nkeep_no_store = true\n")
    cured = secondhand("queue", "run", "--store", tmp_path, "--config", config)
    assert cured.exit_code == 0, cured.output
    assert queued(tmp_path) == []
