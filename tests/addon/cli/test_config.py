"""The commands config check and config show."""

import json
import tomllib
from pathlib import Path

import pytest

from addon.config.settings import Settings
from tests.fixtures.command_line import secondhand as run

pytestmark = pytest.mark.usefixtures("default_settings")


def test_config_check_of_valid_settings(tmp_path: Path) -> None:
    assert run("config", "check").stdout == "no faults; there is no settings file, and the defaults apply\n"
    file = tmp_path / "config.toml"
    file.write_text("[log]\nlevel = 'info'\n")
    assert run("config", "check", "--config", file).stdout == f"{file}: no faults\n"


def test_config_check_prints_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[store]\nmax_sise = 1\nkind = 'tape'\n")
    result = run("config", "check", "--config", file)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f'secondhand: {file}: store.kind: found "tape", expected "disk", "memory" or "redis"',
        f"secondhand: {file}: store.max_sise: unknown key, did you mean max_size?",
    ]
    as_json = run("config", "check", "--config", file, "--json")
    assert as_json.exit_code == 2
    assert [fault["key"] for fault in json.loads(as_json.stdout)["faults"]] == ["store.kind", "store.max_sise"]


def test_the_output_of_config_show_is_a_valid_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[store]\nmax_size = "1.5 GiB"\n[answer]\nrules = [{ host = "a\\"b", status = "always" }]\n'
        '[[annotate]]\nset = { X-A = "b" }\n'
    )
    shown = run("config", "show", "--config", file, "--store", tmp_path).stdout
    again = Settings.model_validate(tomllib.loads(shown))
    assert again.store.max_size == 3 * 2**29
    assert again.answer.rules[0].host == 'a"b'
    assert again.annotate[0].set == {"X-A": "b"}
    assert f'max_size = "1.5 GiB"  # {file}\n' in shown
    assert f'path = "{tmp_path}"  # command line --store\n' in shown
    assert 'kind = "disk"\n' in shown


def test_config_show_marks_no_key_that_is_a_comment_in_a_new_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert run("config", "init", file).exit_code == 0
    shown = run("config", "show", "--config", file)
    assert shown.exit_code == 0
    assert str(file) not in shown.stdout
    assert json.loads(run("config", "show", "--config", file, "--json").stdout)["set_by"] == {}


def test_config_show_prints_the_client_list(tmp_path: Path) -> None:
    assert '# client-cargo: user_agent "^cargo/"\n' in run("config", "show").stdout
    shown = json.loads(run("config", "show", "--store", tmp_path, "--json").stdout)
    assert shown["settings"]["listen"] == "127.0.0.1:8080"
    assert shown["set_by"] == {"store.path": "command line --store"}
    assert "client-cargo" in [client["name"] for client in shown["clients"]]


def test_config_check_prints_the_sites_and_explains_which_one_answers(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[[site]]\nhosts = ["*.example.org"]\norigins = ["http://127.0.0.1:8000"]\n'
        '[[site]]\nhosts = ["WWW.example.org"]\norigins = [{ url = "http://127.0.0.1:8001", weight = 2 }]\n'
    )
    assert run("config", "check", "--config", file).stdout.splitlines() == [
        f"{file}: no faults",
        "site#1: *.example.org -> http://127.0.0.1:8000",
        "site#2: www.example.org -> http://127.0.0.1:8001 (weight 2)",
        "site#2 answers for www.example.org, although *.example.org of site#1 matches it, too",
    ]
    as_json = json.loads(run("config", "check", "--config", file, "--json").stdout)
    assert [site["hosts"] for site in as_json["sites"]] == [["*.example.org"], ["www.example.org"]]
    assert len(as_json["notes"]) == 1


def test_config_check_prints_the_rules_in_order_and_those_that_never_apply(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[[site]]\nhosts = ["example.org"]\norigins = ["http://127.0.0.1:8000"]\n'
        '[[site.rules]]\npath = "/admin/*"\nbypass = true\n'
        '[[site.rules]]\nttl = 60\nquery = { drop = ["utm_*"] }\n'
        '[[site.rules]]\ncontent_type = "image/*"\nttl = 600\n'
    )
    assert run("config", "check", "--config", file).stdout.splitlines()[2:] == [
        "site#1.rules#1: /admin/*: bypass",
        "site#1.rules#2: *: query, ttl",
        "site#1.rules#3: *; content type image/*: ttl",
        "site#1.rules#3 never applies: all that it says is said by rules before it (#2)",
    ]
    shown = tomllib.loads(run("config", "show", "--config", file).stdout)
    assert Settings.model_validate(shown).site[0].rules[1].query is not None
