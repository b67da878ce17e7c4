"""Lock files that are read in a process of their own, which asks this one for the documents that it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.offline.wanted import Digest, Document, Found, Missing, NotThereError, SourceError, Wanted
from addon.warm.lock_file_process import AT_ONCE, found_in_process
from tests.addon.warm.conftest import Tool
from tests.fixtures.lock_files import sha256, written
from tests.fixtures.proxy_with_workers import wait_until_gone
from tests.fixtures.until import until

WHEEL = "demo-1.0-py3-none-any.whl"
REQUIREMENTS = "--index-url http://index.test/simple\ndemo==1.0 --hash=sha256:{}\n".format(sha256(b"demo"))
INDEX = Wanted("http://index.test/simple/demo/")


async def nothing(wanted: Wanted) -> Document:
    raise NotThereError(f"{wanted.uri}: not stored")


def found(file: Path) -> Found:
    """Read a lock file for which no document is needed, or there is none."""
    return asyncio.run(found_in_process(file, nothing))


def test_everything_that_a_file_names_comes_with_its_fields_and_digests(tmp_path: Path) -> None:
    digest = sha256(b"x")
    text = (
        'lock-version = "1.0"\ncreated-by = "test"\n'
        '[[packages]]\nname = "x"\n'
        f'archive = {{url = "http://files.test/x.zip", hashes = {{sha256 = "{digest}"}}}}\n'
        '[[packages]]\nname = "f"\nvcs = {type = "git", url = "https://git.test/f", commit-id = "01"}\n'
    )
    wanted, missing = found(written(tmp_path, "pylock.toml", text))
    assert isinstance(wanted, Wanted)
    assert (wanted.uri, wanted.digest) == ("http://files.test/x.zip", Digest("sha256", digest))
    assert ("Accept-Encoding", "identity") in wanted.fields
    assert missing == Missing("f", "it comes from a Git repository: clone it through the proxy")


def test_many_items_come_in_their_order(tmp_path: Path) -> None:
    urls = [f"http://files.test/{number}.tgz" for number in range(2 * AT_ONCE + 1)]
    text = "".join(f'p@{place}:\n  version "1"\n  resolved "{url}"\n\n' for place, url in enumerate(urls))
    items = found(written(tmp_path, "yarn.lock", text))
    assert [each.uri for each in items if isinstance(each, Wanted)] == urls


def test_a_document_that_the_file_needs_is_asked_for(tmp_path: Path) -> None:
    asked: list[str] = []

    async def read(wanted: Wanted) -> Document:
        asked.append(wanted.uri)
        page = f'<a href="/files/{WHEEL}#sha256={sha256(b"demo")}">{WHEEL}</a>'
        return Document(wanted.uri, page.encode(), "text/html")

    items = asyncio.run(found_in_process(written(tmp_path, "requirements.txt", REQUIREMENTS), read))
    assert asked == [INDEX.uri]
    assert f"http://index.test/files/{WHEEL}" in [each.uri for each in items if isinstance(each, Wanted)]


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    items = found(written(tmp_path, "requirements.txt", REQUIREMENTS))
    assert [each.why for each in items if isinstance(each, Missing)] == [f"{INDEX.uri}: not stored"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("package-lock.json", "{", "line 1, column 2"),
        ("package-lock.json", "[" * 200_000, "nested too deeply"),
        ("pnpm-lock.yaml", "a: [", "expected YAML"),
        ("notes.txt", "", "expected a file named"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, name: str, text: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        found(written(tmp_path, name, text))
    assert not isinstance(caught.value, NotThereError)


def test_when_the_caller_is_cancelled_the_process_ends_with_what_it_has_started(tmp_path: Path, tool: Tool) -> None:
    started = tmp_path / "started"
    tool("npm", f"echo $$ > {started}.new; mv {started}.new {started}; exec sleep 600")
    lock = written(
        tmp_path, "package-lock.json", '{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1"}}}'
    )

    async def cancel() -> None:
        reading = asyncio.create_task(found_in_process(lock, nothing))
        await until(lambda: started.exists() or reading.done())
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(cancel())
    wait_until_gone(int(started.read_text()))


def test_a_process_that_is_killed_is_named(tmp_path: Path, tool: Tool) -> None:
    tool("npm", "kill -KILL $PPID; exec sleep 600")
    lock = written(
        tmp_path, "package-lock.json", '{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1"}}}'
    )
    with pytest.raises(SourceError, match=r"package-lock\.json: cannot be read: the process has ended"):
        found(lock)


@pytest.mark.parametrize("option", ["-r ", "--requirement ", "--requirement="])
def test_a_file_that_a_lock_file_includes_is_missing_and_not_read(tmp_path: Path, option: str) -> None:
    secret = tmp_path / "token"
    secret.write_text("ghp_secret\n")
    missing, *others = found(written(tmp_path, "requirements.txt", f"{option}{secret}\n{REQUIREMENTS}"))
    why = "only the lock file itself is read: check the included file by itself"
    assert missing == Missing(f"{option}{secret}", why)
    assert [each.why for each in others if isinstance(each, Missing)] == [f"{INDEX.uri}: not stored"]


def test_settings_in_the_folders_above_a_lock_file_do_not_count(tmp_path: Path, tool: Tool) -> None:
    (tmp_path / ".npmrc").write_text("http://planted.test")
    tool("npm", """echo "{\\"registry\\": \\"$(cat ../.npmrc || echo http://npm.test)\\"}" """)
    packages = written(tmp_path, "bun.lock", '{"packages": {"a": ["a@1.0.0", "", {}, ""]}}')
    (wanted,) = found(packages)
    assert isinstance(wanted, Wanted)
    assert wanted.uri == "http://npm.test/a/-/a-1.0.0.tgz"


def test_cargo_settings_in_the_folders_above_a_lock_file_do_not_count(tmp_path: Path) -> None:
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo" / "config.toml").write_text("not TOML")
    source = "registry+https://github.com/rust-lang/crates.io-index"
    text = f'[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "{source}"\n'
    (missing,) = found(written(tmp_path, "Cargo.lock", text))
    assert isinstance(missing, Missing)
    assert missing.why.startswith("Cargo's configuration names no sparse index")
