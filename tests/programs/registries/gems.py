"""A server of Ruby gems, with the index that Bundler reads."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Exchange, Origin, Page


def serve_gem_server(origin: Origin, base: str, gem: str, folder: Path) -> None:
    """Serve `specimen`, which needs `leaf`. The command `gem` builds them in a folder."""
    versions = ["created_at: 2026-01-01T00:00:00Z", "---"]
    for name, needs in (("leaf", ""), ("specimen", "leaf")):
        archive = _built(name, needs, gem, folder)
        dependencies = f"{needs}:~> 1.0" if needs else ""
        info = f"---\n1.0.0 {dependencies}|checksum:{hashlib.sha256(archive).hexdigest()}\n".encode()
        versions.append(f"{name} 1.0.0 {hashlib.md5(info).hexdigest()}")
        origin.offer(f"{base}/info/{name}", _index_page(info))
        origin.offer(f"{base}/gems/{name}-1.0.0.gem", page(archive, "application/octet-stream"))
    origin.offer(f"{base}/versions", _index_page("\n".join([*versions, ""]).encode()))


def _built(name: str, needs: str, gem: str, folder: Path) -> bytes:
    dependency = f's.add_dependency "{needs}", "~> 1.0";' if needs else ""
    values = f's.name = "{name}"; s.version = "1.0.0"; s.summary = "none"; s.authors = ["none"]; s.files = [];'
    (folder / f"{name}.gemspec").write_text(f"Gem::Specification.new {{ |s| {values} {dependency} }}\n")
    subprocess.run([gem, "build", f"{name}.gemspec"], cwd=folder, check=True, capture_output=True)
    return (folder / f"{name}-1.0.0.gem").read_bytes()


def _index_page(content: bytes) -> Page:
    """Return a page without an entity tag: Bundler expects the MD5 of the content in it."""

    def answer(exchange: Exchange) -> None:
        exchange.reply(200, content, {"Content-Type": "text/plain", "Cache-Control": "max-age=60"})

    return answer
