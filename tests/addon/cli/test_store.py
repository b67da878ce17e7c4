"""The commands, with a real store on disk, without and with a running proxy."""

import asyncio
import json
import os
import pty
import re
import ssl
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from addon.cli import app
from addon.config.settings import Settings
from addon.runtime.control import ControlServer
from addon.runtime.counters import Counters
from cache.http.messages import Fields, Response
from cache.rules.ownership import ANY, CREDENTIAL, SCOPE
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore

Run = Callable[..., Result]


pytestmark = pytest.mark.usefixtures("default_settings")


def run(*arguments: str | Path) -> Result:
    """Run a command. A traceback fails the test."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def keep(store: DiskStore, uri: str, body: bytes = b"hello", **options: object) -> StoredResponse:
    """Store a response as if it had just been received."""
    now = time.time()
    fields = [("Content-Type", "text/plain"), ("Cache-Control", "max-age=3600"), ("Server", "origin")]
    fields += [("Content-Length", str(len(body)))]
    fields += options.pop("fields", [])  # type: ignore[operator]  # a list of lines
    entry = StoredResponse(
        id=os.urandom(16).hex(),
        key=uri,
        method="GET",
        target=uri,
        head=Response(200, "OK", Fields(tuple(fields))),
        request_time=now,
        response_time=now,
        stored_at=now,
        **options,  # type: ignore[arg-type]  # fields of the entry
    )
    writer = store.writer()
    writer.write(body)
    return writer.commit(entry)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory of a store with three responses of two hosts."""
    directory = tmp_path / "store"
    store = DiskStore(directory, 1 << 24)
    keep(store, "http://a.test/one")
    keep(store, "http://a.test/two.whl", b"x" * 100_000)
    keep(store, "https://b.test/old?q=1", fields=[("Cache-Control", "max-age=0")])
    store.close()
    return directory


@contextmanager
def running_proxy(
    directory: Path, **handlers: Callable[[Mapping[str, object]], Awaitable[dict[str, object]]]
) -> Iterator[None]:
    """Serve a control socket like a running proxy."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ControlServer(directory, handlers)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# ---- ls


def test_ls_lists_responses_by_url(directory: Path) -> None:
    lines = run("ls", "--store", directory).stdout.splitlines()
    assert lines[0].split("\t") == ["STATUS", "METHOD", "AGE", "SIZE", "STATE", "URL"]
    rows = [line.split("\t") for line in lines[1:]]
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in rows] == [
        ("200", "GET", "5 B", "fresh", "http://a.test/one"),
        ("200", "GET", "97.7 KiB", "fresh", "http://a.test/two.whl"),
        ("200", "GET", "5 B", "stale", "https://b.test/old?q=1"),
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("a.test", 2), ("*.whl", 1), ("https://*", 1), ("OLD?q", 1), ("https://b.test/old?q=1", 1), ("nothing", 0)],
)
def test_ls_takes_a_part_of_a_url_or_a_pattern(directory: Path, pattern: str, found: int) -> None:
    result = run("ls", pattern, "--store", directory, "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == found


def test_ls_as_json(directory: Path) -> None:
    [copy] = json.loads(run("ls", "one", "--store", directory, "--json").stdout)
    assert copy["url"] == "http://a.test/one"
    assert (copy["method"], copy["status"], copy["size"], copy["lifetime"]) == ("GET", 200, 5, 3600)
    assert copy["state"] == "fresh"


def test_ls_of_a_missing_store_prints_nothing_and_creates_nothing(tmp_path: Path) -> None:
    result = run("ls", "--store", tmp_path / "none")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "nothing is stored" in result.stderr
    assert not (tmp_path / "none").exists()


def test_ls_does_not_change_a_directory_that_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    tmp_path.chmod(0o755)
    result = run("ls", "--store", tmp_path)
    assert result.exit_code == 0
    assert "nothing is stored" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_ls_escapes_control_characters(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 24)
    keep(store, "http://a.test/\x9b2J")  # some terminals read this as an escape sequence
    store.close()
    assert r"http://a.test/\x9b2J" in run("ls", "--store", tmp_path).stdout


def test_ls_wraps_long_urls_on_a_terminal_of_80_columns(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 24)
    keep(store, "http://a.test/" + "long/" * 40)
    store.close()
    output = on_a_terminal("ls", "--store", str(tmp_path / "store"))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in output.splitlines()]
    assert max(map(len, lines)) <= 80
    assert "".join(line.rstrip().rsplit("  ", 1)[-1].strip() for line in lines[1:]) == "http://a.test/" + "long/" * 40


def on_a_terminal(*arguments: str) -> str:
    """Return the output of a command on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from addon.cli import main; main()", *arguments]
    root = Path(__file__).parents[3]
    environ = os.environ | {"COLUMNS": "80", "TERM": "xterm", "PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env=environ) as process:
        os.close(theirs)
        output = b""
        try:
            while chunk := os.read(ours, 4096):
                output += chunk
        except OSError:
            pass  # Linux: the other end is closed
        process.wait()
    os.close(ours)
    return output.decode()


# ---- show


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


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (SCOPE, "dev", "of the profile dev"),
        (CREDENTIAL, "0123abcd", "with the same Authorization"),
        (CREDENTIAL, ANY, "with any Authorization, offline"),
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


# ---- purge


def test_purge_deletes_a_url(directory: Path) -> None:
    result = run("purge", "http://a.test/one", "--store", directory)
    assert (result.exit_code, result.stdout) == (0, "1 copy deleted\n")
    again = run("purge", "http://a.test/one", "--store", directory)
    assert (again.exit_code, again.stdout) == (3, "0 copies deleted\n")


def test_purge_deletes_a_host_or_everything(directory: Path) -> None:
    assert run("purge", "--host", "a.test", "--store", directory).stdout == "2 copies deleted\n"
    assert json.loads(run("purge", "--all", "--store", directory, "--json").stdout) == {"deleted": 1}
    assert json.loads(run("ls", "--store", directory, "--json").stdout) == []


@pytest.mark.parametrize("arguments", [[], ["http://a.test/one", "--all"], ["--host", "a.test", "--all"]])
def test_purge_takes_exactly_one_of_url_host_and_all(directory: Path, arguments: list[str]) -> None:
    result = run("purge", *arguments, "--store", directory)
    assert result.exit_code == 2
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3


def test_purge_is_sent_to_the_running_proxies(directory: Path) -> None:
    calls: list[Mapping[str, object]] = []

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        calls.append(arguments)
        return {"deleted": 2}

    with running_proxy(directory, purge=purge), running_proxy(directory, purge=purge):
        assert run("purge", "http://a.test/one", "--store", directory).stdout == "4 copies deleted\n"
        run("purge", "--host", "a.test", "--store", directory)
        run("purge", "--all", "--store", directory)
    assert calls[::2] == [{"url": "http://a.test/one"}, {"host": "a.test"}, {"all": True}]
    assert len(json.loads(run("ls", "--store", directory, "--json").stdout)) == 3  # these proxies delete nothing


def test_a_running_proxy_that_refuses_makes_the_command_fail(directory: Path) -> None:
    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        raise ValueError("the store is read-only")

    with running_proxy(directory, purge=purge):
        result = run("purge", "--all", "--store", directory)
    assert result.exit_code == 1
    assert "the store is read-only" in result.stderr


# ---- stats


def test_stats_of_the_store(directory: Path) -> None:
    result = run("stats", "--store", directory)
    assert result.exit_code == 0
    assert "entries\t3\n" in result.stdout
    assert "no proxy is running" in result.stderr
    store = json.loads(run("stats", "--store", directory, "--json").stdout)["store"]
    assert (store["entries"], store["path"], store["kind"]) == (3, str(directory), "disk")
    assert store["size"] > 100_000


def test_stats_of_running_proxies(directory: Path) -> None:
    async def stats(arguments: Mapping[str, object]) -> dict[str, object]:
        return {"hits": 7}

    with running_proxy(directory, stats=stats):
        assert "hits\t7\n" in run("stats", "--store", directory).stdout
        [proxy] = json.loads(run("stats", "--store", directory, "--json").stdout)["proxies"]
    assert proxy["counters"] == {"hits": 7}
    assert proxy["socket"] == str(directory / f"control-{os.getpid()}.sock")


def test_counters_start_at_zero_and_have_known_names() -> None:
    counters = Counters()
    assert set(counters.snapshot().values()) == {0}
    counters.count("hits.https")
    counters.count("octets.from_copy", 10)
    counters.count("not_stored.no-store")
    counted = counters.snapshot()
    assert (counted["hits.https"], counted["octets.from_copy"], counted["not_stored.no-store"]) == (1, 10, 1)
    with pytest.raises(KeyError):
        counters.count("hit.https")


def test_a_memory_store_can_be_read_in_its_proxy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    result = run("ls", "--store", tmp_path)
    assert result.exit_code == 1
    assert "only a running proxy has it" in result.stderr
    assert run("stats", "--store", tmp_path).exit_code == 0


# ---- config


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
        f'secondhand: {file}: store.kind: found "tape", expected "disk" or "memory"',
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


def test_config_show_prints_the_client_list(tmp_path: Path) -> None:
    assert '# client-cargo: user_agent "^cargo/"\n' in run("config", "show").stdout
    shown = json.loads(run("config", "show", "--store", tmp_path, "--json").stdout)
    assert shown["settings"]["listen"] == "127.0.0.1:8080"
    assert shown["set_by"] == {"store.path": "command line --store"}
    assert "client-cargo" in [client["name"] for client in shown["clients"]]


# ---- other commands


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


def test_a_store_that_cannot_be_used_is_a_failure_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("ls", "--store", tmp_path / "file")
    assert result.exit_code == 1
    assert str(tmp_path / "file") in result.stderr


def test_trust_export_makes_the_ca_once_and_prints_its_certificate(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[tls]\ndirectory = "{tmp_path}/ca"\n')
    first = run("trust", "export", "--config", config)
    assert first.exit_code == 0
    assert "PRIVATE KEY" not in first.stdout
    ssl.create_default_context(cadata=first.stdout)
    out = tmp_path / "out.pem"
    second = run("trust", "export", "--config", config, "--out", out)
    assert (second.stdout, out.read_text()) == ("", first.stdout)
    as_json = json.loads(run("trust", "export", "--config", config, "--json").stdout)
    assert as_json["certificate"] == first.stdout


def test_the_error_of_an_invalid_ca_names_its_directory(tmp_path: Path) -> None:
    (tmp_path / "mitmproxy-ca.pem").write_text("no certificate")
    config = tmp_path / "config.toml"
    config.write_text(f'[tls]\ndirectory = "{tmp_path}"\n')
    result = run("trust", "export", "--config", config)
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr


def test_addon_prints_the_path_for_mitmdump() -> None:
    assert run("addon").stdout == f"{Path(__file__).parents[3] / 'addon' / 'main.py'}\n"
    assert json.loads(run("addon", "--json").stdout)["addon"].endswith("main.py")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mitmproxy's own, on import
@pytest.mark.parametrize("tool", ["mitmweb", "mitmdump"])
def test_mitmproxys_tools_get_the_addon_and_all_arguments_unchanged(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(f"mitmproxy.tools.main.{tool}", given.extend)
    main = str(Path(__file__).parents[3] / "addon" / "main.py")
    assert run(tool, "--set", "a=b", "--help", "--", "-x", "~u foo").exit_code == 0
    assert given == ["-s", main, "--set", "a=b", "--help", "--", "-x", "~u foo"]


def test_mitmdump_is_the_real_one() -> None:
    assert "Mitmproxy: " in on_a_terminal("mitmdump", "--version")


def test_version_prints_three_versions() -> None:
    assert re.fullmatch(r"secondhand .+\nmitmproxy 1\d\..+\npython 3\..+\n", run("version").stdout)
    assert set(json.loads(run("version", "--json").stdout)) == {"secondhand", "mitmproxy", "python"}


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
