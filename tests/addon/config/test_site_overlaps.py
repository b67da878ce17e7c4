"""Several [[site]] tables: which of them answers for a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.config.site_overlaps import overlaps
from tests.fixtures.settings_files import configured, faults

pytestmark = pytest.mark.usefixtures("default_settings")


def sites(*hosts: str) -> str:
    """Return one table for each text, which names its hosts."""
    tables = (f'[[site]]\nhosts = {each.split()}\norigins = ["http://127.0.0.1:8000"]\n' for each in hosts)
    return "".join(tables).replace("'", '"')


def notes(*hosts: str) -> list[str]:
    tables = [{"hosts": each.split(), "origins": ["http://127.0.0.1:8000"]} for each in hosts]
    return list(overlaps(Settings.model_validate({"site": tables}).sites))


def test_a_host_in_two_tables_is_an_error_that_names_both(tmp_path: Path) -> None:
    assert faults(tmp_path, sites("a.example b.example", "c.example A.Example.", "*.a.example", "*.a.example")) == [
        'config.toml: site#2.hosts: found "a.example", which site#1.hosts has already, expected each host in one site',
        'config.toml: site#4.hosts: found "*.a.example", which site#3.hosts has already, expected each host in one'
        " site",
    ]


def test_edge_and_sites_together_are_an_error(tmp_path: Path) -> None:
    overrides = {"edge": "http://127.0.0.1:1"}
    assert faults(tmp_path, sites("a.example"), overrides=overrides) == [
        'config.toml: site: found [[site]] and edge = "http://127.0.0.1:1", expected one of them: edge is the short'
        " form of a single site"
    ]


def test_a_host_inside_a_wildcard_is_explained(tmp_path: Path) -> None:
    configured(tmp_path, sites("*.example.org", "www.example.org", "*.a.example.org"))
    assert notes("*.example.org *", "www.example.org", "*.a.example.org", "example.org", "b.a.example.org") == [
        "site#2 answers for www.example.org, although *.example.org of site#1 matches it, too",
        "site#3 answers for *.a.example.org, although *.example.org of site#1 matches it, too",
        "site#5 answers for b.a.example.org, although *.a.example.org of site#3 matches it, too",
    ]


def test_a_host_that_the_same_site_matches_already_is_explained() -> None:
    assert notes("*.example.org www.example.org") == [
        "site#1: www.example.org is not needed, since the same site has *.example.org"
    ]


def test_hosts_apart_need_no_explanation() -> None:
    assert notes("example.org *.example.org", "example.com", "*") == []
