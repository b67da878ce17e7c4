"""The files that lock files name are requested as the tools themselves would."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand
from tests.fixtures.lock_files import fetched, integrity, sha256, warmed, written
from tests.fixtures.static_pages import FRESH, serve_page
from tests.fixtures.web_origin import Origin

Tool = Callable[[str, str], None]
WHEEL = "demo-1.0-py3-none-any.whl"
OTHER_PLATFORM = "demo-1.0-cp312-cp312-win_arm64.whl"


# ---- requirements.txt


def index_of(origin: Origin, tool: Tool, *names: str, kind: str = "json") -> dict[str, str]:
    """Serve an index with files of one project, configure pip for it, and return the URLs."""
    urls = {name: serve_page(origin, f"/files/{name}", name.encode()) for name in names}
    if kind == "json":
        files = [{"filename": n, "url": f"/files/{n}", "hashes": {"sha256": sha256(n.encode())}} for n in names]
        content, media_type = json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json"
    else:
        links = [f'<a href="../../files/{n}#sha256={sha256(n.encode())}">{n}</a>' for n in names]
        content, media_type = "".join(links).encode(), "text/html; charset=utf-8"
    urls["page"] = serve_page(origin, "/simple/demo/", content, {**FRESH, "Content-Type": media_type})
    tool("pip", f"echo \"global.index-url='{urls['page'].removesuffix('/demo/')}'\"")
    return urls


@pytest.mark.parametrize("kind", ["json", "html"])
def test_requirements_are_looked_up_in_the_index_that_pip_is_configured_for(
    tmp_path: Path, origin: Origin, tool: Tool, kind: str
) -> None:
    urls = index_of(origin, tool, WHEEL, OTHER_PLATFORM, "demo-1.0.tar.gz", "demo-2.0-py3-none-any.whl", kind=kind)
    hashes = " \\\n    ".join(f"--hash=sha256:{sha256(name.encode())}" for name in (WHEEL, OTHER_PLATFORM))
    file = written(tmp_path, "requirements.txt", f"# pinned\nDemo==1.0 \\\n    {hashes}  # and nothing else\n")
    assert warmed(tmp_path, file) == [["fetched", urls[WHEEL]], ["fetched", urls["page"]]]
    [request] = origin.requests_for(f"/files/{WHEEL}")
    assert (request.fields["accept"], request.fields["accept-encoding"]) == ("*/*", "identity")
    assert origin.requests_for("/simple/demo/")[0].fields["accept"].startswith("application/vnd.pypi.simple.v1+json")


def test_without_hashes_files_are_chosen_by_version_and_may_be_source_archives(
    tmp_path: Path, origin: Origin, tool: Tool
) -> None:
    urls = index_of(origin, tool, OTHER_PLATFORM, "demo-1.0.tar.gz", "demo-2.0.tar.gz")
    file = written(tmp_path, "requirements.txt", "demo == 1.0 ; python_version >= '3'\n")
    assert warmed(tmp_path, file) == [["fetched", urls["demo-1.0.tar.gz"]], ["fetched", urls["page"]]]


@pytest.mark.parametrize("include", ["-r more.txt", "-rmore.txt", "-r\tmore.txt", "--requirement=more.txt"])
def test_the_index_of_the_file_overrides_that_of_pip_and_included_files_are_read(
    tmp_path: Path, origin: Origin, tool: Tool, include: str
) -> None:
    urls = index_of(origin, tool, WHEEL)
    tool("pip", "echo \"global.index-url='http://127.0.0.1:9/simple'\"")
    written(tmp_path, "more.txt", "demo==1.0\n-r requirements.txt\n")
    index = urls["page"].removesuffix("/demo/")
    file = written(tmp_path, "requirements.txt", f"--index-url {index}\n{include}\n")
    assert warmed(tmp_path, file) == [["fetched", urls[WHEEL]], ["fetched", urls["page"]]]


def test_content_with_a_wrong_digest_is_not_stored(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    urls = index_of(origin, tool, WHEEL)
    serve_page(origin, f"/files/{WHEEL}", b"something else")
    file = written(tmp_path, "requirements.txt", f"demo==1.0 --hash=sha256:{sha256(WHEEL.encode())}\n")
    problem = "the content does not have the digest in the lock file, so it was not kept"
    assert ["failed", urls[WHEEL], problem] in warmed(tmp_path, file, code=1)
    assert WHEEL not in secondhand("ls", "--store", tmp_path / "store").stdout


def test_the_error_names_a_file_that_has_another_digest(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    page_of = index_of(origin, tool, WHEEL)["page"]
    file = written(tmp_path, "requirements.txt", f"demo==1.0 --hash=sha256:{sha256(b'another')}\n")
    why = f"{page_of} lists {WHEEL}, but with none of the digests of the requirement"
    assert ["failed", "demo==1.0", why] in warmed(tmp_path, file, code=1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("demo>=1.0\n", 'line 1: expected "demo==VERSION", found "demo>=1.0"'),
        ("\ndemo=1.0\n", "line 2: expected a requirement"),
        ("-e .\n", "line 1: expected a pinned requirement"),
    ],
)
def test_the_error_of_a_requirement_that_is_not_pinned_names_the_line(tmp_path: Path, text: str, why: str) -> None:
    file = written(tmp_path, "requirements.txt", text)
    [line] = warmed(tmp_path, file, code=1)
    assert line[:2] == ["failed", str(file)]
    assert line[2].startswith(why)


def test_a_requirement_that_no_index_has_fails_alone(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    urls = index_of(origin, tool, WHEEL)
    file = written(tmp_path, "requirements.txt", "demo==1.0\nother==1.0\n")
    lines = warmed(tmp_path, file, code=1)
    assert ["fetched", urls[WHEEL]] in lines
    assert [line[:2] for line in lines if line[0] == "failed"] == [["failed", "other==1.0"]]


# ---- uv.lock


def test_uv_lock(tmp_path: Path, origin: Origin) -> None:
    urls = {name: serve_page(origin, f"/{name}", name.encode()) for name in (WHEEL, OTHER_PLATFORM, "demo-1.0.tar.gz")}
    lines = [
        f'{{ url = "{urls[name]}", hash = "sha256:{sha256(name.encode())}" }},' for name in (WHEEL, OTHER_PLATFORM)
    ]
    file = written(
        tmp_path,
        "uv.lock",
        'version = 1\n[[package]]\nname = "here"\nversion = "1"\nsource = { editable = "." }\n'
        f'[[package]]\nname = "demo"\nversion = "1.0"\nsource = {{ registry = "http://index.test/simple" }}\n'
        f'sdist = {{ url = "{urls["demo-1.0.tar.gz"]}" }}\nwheels = [\n' + "\n".join(lines) + "\n]\n"
        '[[package]]\nname = "forked"\nversion = "1"\nsource = { git = "https://git.test/forked" }\n',
    )
    assert warmed(tmp_path, file, code=1) == [
        ["failed", "forked", "it comes from a Git repository: clone it through the proxy"],
        ["fetched", urls[WHEEL]],
    ]


# ---- package-lock.json


def test_package_lock(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    content = b"a tarball"
    url, scoped = serve_page(origin, "/a/-/a-1.0.0.tgz", content), serve_page(origin, "/elsewhere/b.tgz", content)
    document = serve_page(
        origin, "/@s%2fb", json.dumps({"versions": {"2.0.0": {"dist": {"tarball": scoped}}}}).encode()
    )
    registry = url.removesuffix("/a/-/a-1.0.0.tgz")
    # a lock file has the URL of npm's default registry even if another registry is configured
    configuration = json.dumps({"registry": f"{registry}/"})
    tool("npm", f"if [ \"$1\" = --prefix ]; then echo http://own.test/; else echo '{configuration}'; fi")
    other = "win32" if sys.platform != "win32" else "linux"
    packages = {
        "": {"name": "project"},
        "node_modules/a": {
            "version": "1.0.0",
            "resolved": "http://own.test/a/-/a-1.0.0.tgz",
            "integrity": integrity(content),
        },
        "node_modules/c/node_modules/@s/b": {"version": "2.0.0", "integrity": integrity(content)},
        "node_modules/elsewhere": {
            "version": "1",
            "resolved": "http://own.test/e.tgz",
            "os": [other],
            "optional": True,
        },
        "node_modules/linked": {"resolved": "packages/linked", "link": True},
        "node_modules/forked": {"version": "1", "resolved": "git+ssh://git@git.test/forked.git#0123"},
    }
    file = written(tmp_path, "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}))
    assert warmed(tmp_path, file, code=1) == [
        ["failed", "forked", "it comes from git+ssh://git@git.test/forked.git#0123, which is no HTTP URL"],
        *fetched(document, scoped, url),
    ]


@pytest.mark.parametrize("document", [None, b"{}", b'{"versions": {"2.0.0": {}}}', b"[", b'{"versions": 1}'])
def test_a_package_whose_document_names_no_tarball_is_missing(
    tmp_path: Path, origin: Origin, tool: Tool, document: bytes | None
) -> None:
    url = serve_page(origin, "/b", document) if document else f"{serve_page(origin, '/a')[:-1]}b"
    tool("npm", f"""if [ "$1" = --prefix ]; then echo http://own.test/; else echo '{{"registry": "{url[:-2]}"}}'; fi""")
    packages = {"node_modules/b": {"version": "2.0.0", "integrity": integrity(b"")}}
    file = written(tmp_path, "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}))
    problem = "expected a tarball of version 2.0.0" if document else "the origin says 404 Not Found"
    assert warmed(tmp_path, file, code=1) == [["failed", url, problem]]


def test_package_lock_of_version_1(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    urls = [serve_page(origin, f"/{name}.tgz") for name in "ab"]
    registry = urls[0].removesuffix("/a.tgz")
    tool("npm", f"""if [ "$1" = --prefix ]; then echo http://own.test/; else echo '{{"registry": "{registry}"}}'; fi""")
    nested = {"a": {"version": "1", "resolved": urls[0], "dependencies": {"b": {"version": "1", "resolved": urls[1]}}}}
    documents = [serve_page(origin, f"/{name}") for name in "ab"]  # npm completes the entries of this form from them
    file = written(tmp_path, "package-lock.json", json.dumps({"lockfileVersion": 1, "dependencies": nested}))
    assert warmed(tmp_path, file) == fetched(*urls, *documents)


# ---- Cargo.lock

CRATES = """version = 4
[[package]]
name = "project"
version = "0.1.0"

[[package]]
name = "Demo"
version = "1.0.0"
source = "{source}"
checksum = "{checksum}"
"""


def crates_at(origin: Origin, template: str = "") -> tuple[str, list[str]]:
    """Serve a sparse index with one crate; return its URL, and all URLs that Cargo reads."""
    files = serve_page(origin, "/dl/Demo/1.0.0/download", b"a crate")
    configuration = json.dumps({"dl": files.removesuffix("/Demo/1.0.0/download") + template}).encode()
    config = serve_page(origin, "/index/config.json", configuration)
    return config.removesuffix("config.json"), [files, serve_page(origin, "/index/de/mo/demo", b"{}"), config]


@pytest.mark.parametrize("template", ["", "/{crate}/{version}/download"])
def test_cargo_lock_uses_the_source_replacement_of_cargos_configuration(
    tmp_path: Path, origin: Origin, template: str
) -> None:
    index, urls = crates_at(origin, template)
    lock = CRATES.format(source="registry+https://git.test/index", checksum=sha256(b"a crate"))
    file = written(tmp_path, "Cargo.lock", lock)
    configuration = file.parent / ".cargo"
    configuration.mkdir()
    (configuration / "config.toml").write_text(
        f'[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+{index}"\n'
    )
    assert warmed(tmp_path, file) == [["fetched", url] for url in sorted(urls)]


def test_the_sparse_index_comes_from_cargo_lock_or_the_command_line(tmp_path: Path, origin: Origin) -> None:
    index, urls = crates_at(origin)
    checksum = sha256(b"a crate")
    file = written(tmp_path, "Cargo.lock", CRATES.format(source=f"sparse+{index}", checksum=checksum))
    assert warmed(tmp_path, file) == [["fetched", url] for url in sorted(urls)]
    file = written(tmp_path, "Cargo.lock", CRATES.format(source="registry+https://git.test/index", checksum=checksum))
    [line] = warmed(tmp_path, file, code=1)
    assert line[:2] == ["failed", "Demo"]
    assert line[2].endswith("name one with --index")
    assert warmed(tmp_path, file, "--index", index) == [["fresh", url] for url in sorted(urls)]


# ---- go.sum


def test_go_sum_uses_the_module_proxy_that_go_is_configured_for(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    paths = ["/b.test/only/@v/v0.1.0.mod", *(f"/a.test/!capital/@v/v1.2.3.{kind}" for kind in ("info", "mod", "zip"))]
    urls = [serve_page(origin, path) for path in paths]
    proxy = urls[0].removesuffix(paths[0])
    tool("go", f"echo '{proxy},direct'")
    h1 = "h1:" + "A" * 43 + "="
    lines = [f"a.test/Capital v1.2.3 {h1}", f"a.test/Capital v1.2.3/go.mod {h1}", f"b.test/only v0.1.0/go.mod {h1}"]
    file = written(tmp_path, "go.sum", "\n".join(lines) + "\n")
    assert warmed(tmp_path, file) == [["fetched", url] for url in sorted(urls)]
    file.write_text("a.test/Capital v1.2.3\n")
    assert warmed(tmp_path, file, code=1) == [
        ["failed", str(file), "line 1: expected a module, a version and an h1 hash"]
    ]


# ---- invalid lock files


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("pom.xml", "", "expected a file named *requirements*.txt,"),
        ("uv.lock", "[[", "Invalid"),
        ("uv.lock", "[[package]]\n", "#1: expected a package with name and source"),
        ("Cargo.lock", "= 1", "Invalid"),
        ("Cargo.lock", '[[package]]\nname = "a"\n', "#1: expected a package with name and version"),
        ("package-lock.json", "{", "line 1, column 2:"),
        ("package-lock.json", "{}", "expected packages or dependencies"),
        ("yarn.lock", '  version "1"\n', "line 1: expected the name of a package and a colon"),
        ("yarn.lock", "\na\n", "line 2: expected the name of a package, its range of versions and a colon"),
        ("yarn.lock", "__metadata:\n  version: 8\na: [\n", "line 4, column 1: "),
        ("yarn.lock", "__metadata:\n  version: 8\na@1: {}\n", "a@1: expected a package with resolution"),
        ("pnpm-lock.yaml", "- 1\n", "expected a table of YAML"),
        ("pnpm-lock.yaml", "a: !!python/object/apply:os.getcwd []\n", "line 1, column 4: could not determine a cons"),
        ("pnpm-lock.yaml", "packages: {}\n", "expected lockfileVersion"),
        ("pnpm-lock.yaml", "lockfileVersion: 9\npackages: {a: 1}\n", "a: expected a package with resolution"),
        ("bun.lock", '{\n  "packages": [x,],\n}', "line 2, column 16: Expecting value, expected JSON"),
        ("bun.lock", "[]", "expected a JSON object"),
        ("bun.lockb", "", "expected bun.lock; make it with: bun install --save-text-lockfile --lockfile-only"),
        ("poetry.lock", "[[package]]\n", "#1: expected a package with name and version"),
        ("poetry.lock", "package = 1", 'expected a list under "package"'),
        (
            "poetry.lock",
            '[[package]]\nname = "a"\nversion = "1"\nfiles = [1]\n',
            "a: expected files, each with file and",
        ),
        ("pdm.lock", "[[package]]\n", "#1: expected a package with name"),
        ("pylock.toml", 'lock-version = "1.0"\n', "Missing required value in 'created-by'"),
        (
            "pylock.toml",
            'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n',
            "pylock version 2.0 is not supported",
        ),
        ("Gemfile.lock", "", 'expected a section "GEM" with remote and specs'),
        ("Gemfile.lock", "GEM\n  specs:\n    a\n", 'line 3: expected a gem like "name (1.0.0)", found "a"'),
        ("Gemfile.lock", "GEM\n  specs:\n    a (1)\n", "line 1: expected the remote of this section"),
        ("composer.lock", "{}", "expected packages"),
        ("composer.lock", '{"packages": [{}]}', "packages: #1: expected a package with name, and dist with url"),
        ("gradle.lockfile", "a:b:1\n", "line 1: expected group:name:version=configurations"),
        ("verification-metadata.xml", "<a", "line 1, column 1: unclosed token, expected XML"),
        ("verification-metadata.xml", "<a/>", 'found "a", expected verification-metadata'),
        ("verification-metadata.xml", "<!DOCTYPE a><a/>", "found a document type declaration, which it must not have"),
        ("lockfile.json", "{}", "expected lockFileVersion, as maven-lockfile writes it"),
    ],
)
def test_the_error_of_an_invalid_lock_file_tells_why(tmp_path: Path, name: str, text: str, why: str) -> None:
    file = written(tmp_path, name, text)
    [line] = warmed(tmp_path, file, code=1)
    assert line[:2] == ["failed", str(file)]
    assert line[2].startswith(why)


def test_the_errors_of_a_missing_file_and_a_missing_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [line] = warmed(tmp_path, tmp_path / "uv.lock", code=1)
    assert line[2].startswith("expected a file to read, found: No such file")
    monkeypatch.setenv("PATH", str(tmp_path))
    h1 = "h1:" + "A" * 43 + "="
    [line] = warmed(tmp_path, written(tmp_path, "go.sum", f"a.test/a v1.0.0 {h1}\n"), code=1)
    assert line == ["failed", "go env GOPROXY", "cannot be run: No such file or directory"]
