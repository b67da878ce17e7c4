"""The command show: what the origin sent beside what a client gets."""

import json
from pathlib import Path

import pytest

from cache.rules.ownership import ANY, API_KEY, COOKIE, CREDENTIAL, SCOPE
from cache.stores.disk.store import DiskStore
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import keep

pytestmark = pytest.mark.usefixtures("default_settings")


def test_show_puts_both_heads_side_by_side(directory: Path) -> None:
    result = run("show", "http://a.test/one", "--store", directory)
    assert result.exit_code == 0
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert rows[0] == ["", "FIELD", "ORIGIN SENT", "CLIENT GETS"]
    assert ["~", "status", "200 OK", "203 Non-Authoritative Information"] in rows
    assert [" ", "Server", "origin", "origin"] in rows
    assert [row[0] for row in rows if row[1] in ("Age", "Via", "Cache-Status")] == ["+", "+", "+"]
    assert "GET http://a.test/one\nfresh, age " in result.stdout


def test_show_applies_the_settings(directory: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[answer]\nstatus = "always"\n[[annotate]]\nset = { X-Copy-Of = "{origin}" }\nremove = ["Server"]\n'
    )
    result = run("show", "http://a.test/one", "--store", directory, "--config", config, "--json")
    [shown] = json.loads(result.stdout)
    assert (shown["definitive"]["status"], shown["presented"]["status"]) == (200, 203)
    assert ["Server", "origin"] in shown["definitive"]["fields"]
    difference = {line["name"]: (line["definitive"], line["presented"]) for line in shown["difference"]}
    assert difference["Server"] == ("origin", None)
    assert difference["X-Copy-Of"] == (None, "http://a.test")
    assert "Content-Type" not in difference


def test_show_shows_every_variant(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 24)
    for language in ("de", "en"):
        keep(store, "http://a.test/", vary=(("accept-language", language),), fields=[("Vary", "Accept-Language")])
    keep(store, "http://a.test/", vary=(("accept-language", None),), fields=[("Vary", "Accept-Language")])
    store.close()
    result = run("show", "http://A.test:80", "--store", tmp_path)
    assert "variant 3 of 3" in result.stdout
    assert "for requests with accept-language: de" in result.stdout
    assert "for requests without accept-language" in result.stdout


def test_show_and_why_find_the_copies_of_every_spelling(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 24)
    keep(store, "http://a.test/~b")
    keep(store, "http://a.test/~b", target="http://a.test/%7Eb")
    store.close()
    for url in ("http://A.test./%7eb", "http://a.test:80/~b"):
        assert "for requests spelled http://a.test/%7Eb" in run("show", url, "--store", tmp_path).stdout
    explained = run("why", "http://a.test/%7Eb", "--store", tmp_path).stdout
    assert "does not vary: does not match" in explained
    assert "spelled http://a.test/%7Eb, does not vary: matches" in explained


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (SCOPE, "dev", "of the profile dev"),
        (CREDENTIAL, "0123abcd", "with the same Authorization"),
        (CREDENTIAL, ANY, "with any Authorization, offline"),
        (CREDENTIAL, None, "without Authorization"),
        (COOKIE, "0123abcd", "with the same Cookie"),
        (COOKIE, None, "without Cookie"),
        (API_KEY, "0123abcd", "with the same API key"),
        (API_KEY, None, "without API key"),
    ],
)
def test_show_tells_the_profile_and_credential_of_a_response(tmp_path: Path, name: str, value: str, text: str) -> None:
    store = DiskStore(tmp_path, 1 << 24)
    keep(store, "http://a.test/", vary=((name, value),))
    store.close()
    assert f"\nfor requests {text}\n" in run("show", "http://a.test/", "--store", tmp_path).stdout


def test_show_of_a_url_that_is_not_stored(directory: Path) -> None:
    result = run("show", "http://a.test/three", "--store", directory)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nothing is stored for http://a.test/three" in result.stderr


@pytest.mark.parametrize("command", ["show", "purge"])
@pytest.mark.parametrize("url", ["a.test/one", "ftp://a.test/", "http://"])
def test_an_invalid_url_is_wrong_usage(directory: Path, command: str, url: str) -> None:
    result = run(command, url, "--store", directory)
    assert result.exit_code == 2
    assert "https://example.org/path" in result.stderr
