"""The common behaviour of all commands: exit codes, help with an example, and errors without a traceback."""

from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand as run

pytestmark = pytest.mark.usefixtures("default_settings")


def test_invalid_settings_are_exit_code_2_for_every_command(tmp_path: Path) -> None:
    for command in (["serve"], ["ls"], ["show", "http://a.test/"], ["stats"], ["purge", "--all"], ["trust", "export"]):
        result = run(*command, "--config", tmp_path / "nowhere.toml")
        assert result.exit_code == 2
        assert "nowhere.toml: expected a file to read, found: No such file" in result.stderr


def test_serve_refuses_an_invalid_option_before_it_starts(tmp_path: Path) -> None:
    result = run("serve", "--answer", "maybe", "--listen", "nowhere", "--store", tmp_path)
    assert result.exit_code == 2
    assert 'command line --answer: found "maybe", expected "auto", "always" or "origin"' in result.stderr
    assert 'command line --listen: found "nowhere", expected HOST:PORT' in result.stderr


@pytest.mark.parametrize(
    "command",
    ["serve", "ls", "show", "purge", "stats", "config check", "config show", "trust export", "addon", "version"],
)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"secondhand {command}" in result.stdout.replace('$(secondhand addon)"', "secondhand addon")
    assert "Example: " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


# ---- wrong input


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("why", "http://["), 2, 'expected a URL like "https://example.org/path", found "http://["'),
        (("why", "http://a.test:x/"), 2, "expected a URL like"),
        (("why", "http://a.test/", "-X", "B D"), 2, 'expected a method like GET, found "B D"'),
        (("warm", "nowhere"), 2, "expected a URL like"),
        (("queue", "clear", "--store", "/no/store"), 0, ""),
        (("queue", "list"), 0, "the queue is empty"),
        (("record", "--stop"), 1, "no proxy is running on"),
        (("export", "x", "--format", "har"), 3, "secondhand run --record x -- COMMAND"),
        (("export", "a b", "--format", "har"), 2, 'found "a b"'),
        (("trust", "export", "--out", "/no/folder/ca.pem"), 1, "/no/folder/ca.pem: No such file or directory"),
        (("ls", "--store", "/dev/null"), 1, "the store's directory /dev/null cannot be used: File exists"),
        (("serve", "--listen", "127.0.0.1:0", "--script", "none.py"), 2, "No such script: none.py"),
    ],
)
def test_errors_have_a_message_and_no_traceback(
    command: tuple[str, ...], code: int, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECONDHAND_TLS__DIRECTORY", str(tmp_path / "authority"))
    result = run(*command)
    assert result.exit_code == code, result.output
    assert message in " ".join(result.stderr.split())
    assert "Errno" not in result.stderr
