"""pylock.toml: the files for this machine."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

WHEEL = "demo-1.0-py3-none-any.whl"
OTHER_PLATFORM = "demo-1.0-cp312-cp312-win_arm64.whl"
HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def wheel(name: str, url: str = "") -> str:
    location = f'url = "{url}", ' if url else ""
    return f'{{name = "{name}", {location}hashes = {{sha256 = "{sha256(name.encode())}"}}}}'


def test_files_with_urls_for_this_machine(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/{name}", name.encode()) for name in (WHEEL, OTHER_PLATFORM, "x.zip")]
    text = (
        f'{HEAD}[[packages]]\nname = "demo"\nversion = "1.0"\n'
        f"wheels = [{wheel(WHEEL, urls[0])}, {wheel(OTHER_PLATFORM, urls[1])}]\n"
        f'[[packages]]\nname = "x"\narchive = {{url = "{urls[2]}", hashes = {{sha256 = "{sha256(b"x.zip")}"}}}}\n'
        '[[packages]]\nname = "here"\ndirectory = {path = "."}\n'
    )
    assert warmed(tmp_path, written(tmp_path, "pylock.toml", text)) == fetched(urls[0], urls[2])
    assert origin.requests_for(f"/{WHEEL}")[0].fields["accept-encoding"] == "identity"


def test_files_on_this_machine_are_not_fetched(tmp_path: Path) -> None:
    text = f'{HEAD}[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = [{wheel(WHEEL)[:-1]}, path = "{WHEEL}"}}]\n'
    assert warmed(tmp_path, written(tmp_path, "pylock.toml", text)) == []


def test_a_package_without_a_file_for_this_machine_is_named(tmp_path: Path) -> None:
    file = wheel(OTHER_PLATFORM, "http://files.test/x")
    text = f'{HEAD}[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = [{file}]\n'
    [line] = warmed(tmp_path, written(tmp_path, "pylock.dev.toml", text), code=1)
    assert line == ["failed", "demo", "the lock file names no file for this machine"]


def test_packages_from_git_are_named(tmp_path: Path) -> None:
    text = f'{HEAD}[[packages]]\nname = "f"\nvcs = {{type = "git", url = "https://git.test/f", commit-id = "01"}}\n'
    [line] = warmed(tmp_path, written(tmp_path, "pylock.toml", text), code=1)
    assert line == ["failed", "f", "it comes from a Git repository: clone it through the proxy"]
