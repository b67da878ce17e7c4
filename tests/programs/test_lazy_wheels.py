"""Programs that read only the end of a wheel, which has its metadata: HEAD and Range, online and then offline."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fixtures.web_origin import Exchange, Origin, Page
from tests.programs.managers import python_manager
from tests.programs.registries.archives import zipped
from tests.programs.secondhand_run import Runner

PROJECT = """
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.12"
dependencies = ["specimen"]
[[tool.uv.index]]
url = "{index}"
default = true
[[tool.poetry.source]]
name = "local"
url = "{index}"
priority = "primary"
"""


def in_parts(content: bytes, fields: dict[str, str]) -> Page:
    """Return a page that answers a Range with one part, for which there is no validator unless `fields` has one."""

    def answer(exchange: Exchange) -> None:
        first, _, last = exchange.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if exchange.command == "HEAD" or not (first or last):
            exchange.reply(200, content, {**fields, "Accept-Ranges": "bytes"})
            return
        start = int(first) if first else len(content) - int(last)
        stop = int(last) + 1 if first and last else len(content)
        content_range = f"bytes {start}-{min(stop, len(content)) - 1}/{len(content)}"
        exchange.reply(206, content[start:stop], {**fields, "Content-Range": content_range})

    return answer


def serve_wheels(origin: Origin, fields: dict[str, str]) -> str:
    """Serve `specimen`, which needs `leaf`, without separate metadata. Return the URL of the index."""
    for name, needs in (("leaf", ""), ("specimen", "Requires-Dist: leaf\n")):
        info, file = f"{name}-1.0.dist-info", f"{name}-1.0-py3-none-any.whl"
        wheel = zipped(
            {
                f"{name}.py": "# filler\n" * 20_000,
                f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}",
                f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                f"{info}/RECORD": "",
            }
        )
        origin.offer(f"/files/{file}", in_parts(wheel, fields))
        url = origin.offer(f"/simple/{name}/", in_parts(f'<a href="/files/{file}">{file}</a>'.encode(), HTML))
    return url.replace("/simple/specimen/", "/simple/")


HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize("fields", [{}, {"ETag": '"1"'}], ids=["without a validator", "with one"])
@pytest.mark.parametrize("command", [("uv", "lock", "--no-cache"), ("poetry", "lock", "--no-cache")], ids=" ".join)
def test_a_lock_file_is_made_again_without_a_network(
    runner: Runner, origin: Origin, command: tuple[str, ...], fields: dict[str, str]
) -> None:
    tool = (str(python_manager(command[0])), *command[1:])
    index = serve_wheels(origin, fields)
    lock = runner.folder / f"{command[0]}.lock"
    Path(runner.folder, "pyproject.toml").write_text(PROJECT.format(index=index))
    variables = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}

    online = runner("--proxy-localhost", "--", *tool, **variables)
    assert online.code == 0, online.errors
    first = lock.read_bytes()
    lock.unlink()
    requests = len(origin.requests)
    offline = runner("--offline", "--proxy-localhost", "--", *tool, **variables)

    assert offline.code == 0, offline.errors
    assert lock.read_bytes() == first
    assert b"leaf" in first
    assert offline.summary.endswith("nothing missing")
    assert len(origin.requests) == requests
