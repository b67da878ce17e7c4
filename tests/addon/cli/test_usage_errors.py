"""Wrong command lines: one line with what is wrong and what was expected, and one with the usage."""

from __future__ import annotations

import pytest

from tests.fixtures.command_line import secondhand


@pytest.mark.parametrize(
    ("arguments", "message", "command"),
    [
        (["lss"], "no such command 'lss'. Did you mean 'ls'?", ""),
        (["trust", "exprt"], "no such command 'exprt'. Did you mean 'export'?", "trust"),
        (["ls", "--privat"], "no such option: --privat (similar: --private)", "ls"),
        (["show"], "missing argument URL", "show"),
        (["ls", "a", "b"], "expected fewer arguments, found b in addition", "ls"),
        (["export", "x"], "missing option --format: expected one of har, warc, dir", "export"),
        (
            ["why", "a.test"],
            'URL: expected a URL like "https://example.org/path", found "a.test", did you mean "http://a.test"?',
            "why",
        ),
        (["warm", "--jobs", "many"], '--jobs: expected a whole number, found "many"', "warm"),
        (["warm", "--jobs", "99"], '--jobs: expected 64 or less, found "99"', "warm"),
        (["warm", "--jobs", "0"], '--jobs: expected 1 or more, found "0"', "warm"),
        (
            ["why", "http://a.test/", "--as", "lynx"],
            '--as: expected one of curl, pip, npm, browser, found "lynx"',
            "why",
        ),
    ],
)
def test_the_message_has_what_was_expected_and_the_usage(arguments: list[str], message: str, command: str) -> None:
    result = secondhand(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first == f"secondhand: {message}"
    called = f"secondhand {command}".strip()
    assert second.startswith(f"secondhand: usage: {called} [OPTIONS]")
    assert second.endswith(f"(more: {called} --help)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ls", "--store"], "--store: expected a value after it"),
        (["ls", "--json=1"], "option --json does not take a value"),
    ],
)
def test_an_option_with_a_wrong_number_of_values(arguments: list[str], message: str) -> None:
    result = secondhand(*arguments)
    assert (result.exit_code, result.stderr) == (2, f"secondhand: {message}\n")


@pytest.mark.parametrize("arguments", [[], ["trust"], ["config"]])
def test_a_group_alone_prints_its_help(arguments: list[str]) -> None:
    result = secondhand(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == secondhand(*arguments, "--help").stdout
