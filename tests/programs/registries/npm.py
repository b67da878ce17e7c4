"""An npm registry."""

from __future__ import annotations

import base64
import hashlib
import json

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Exchange, Origin, Page
from tests.programs.registries.archives import tar_gz

PUBLISHED = "2020-01-01T00:00:00.000Z"


def serve_npm_registry(origin: Origin, base: str) -> dict[str, str]:
    """Serve `specimen`, which needs `leaf`. Return the files of a project that needs both, with a lock file."""
    needs = {"leaf": {}, "specimen": {"leaf": "^1.0.0"}}
    locked: dict[str, object] = {"": {"name": "a", "version": "1.0.0", "dependencies": {"specimen": "^1.0.0"}}}
    for name, dependencies in needs.items():
        manifest = {"name": name, "version": "1.0.0", "dependencies": dependencies}
        archive = tar_gz({"package/package.json": json.dumps(manifest), "package/index.js": "// nothing\n"})
        url = origin.offer(f"{base}/{name}/-/{name}-1.0.0.tgz", page(archive, "application/octet-stream"))
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
        dist = {"tarball": url, "integrity": integrity, "shasum": hashlib.sha1(archive).hexdigest()}
        origin.offer(f"{base}/{name}", _document(name, {**manifest, "dist": dist}))
        locked[f"node_modules/{name}"] = {
            "version": "1.0.0",
            "resolved": url,
            "integrity": integrity,
            "dependencies": dependencies,
        }
    origin.offer(f"{base}/-/npm/v1/security/advisories/bulk", _no_advisories)
    lock = {"name": "a", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": locked}
    return {"package.json": json.dumps(locked[""]), "package-lock.json": json.dumps(lock)}


def _no_advisories(exchange: Exchange) -> None:
    """Respond that there are no security advisories for the posted packages."""
    exchange.rfile.read(int(exchange.headers["Content-Length"]))
    exchange.reply(200, b"{}", {"Content-Type": "application/json"})


def _document(name: str, version: dict[str, object]) -> Page:
    """Return what a registry says of a package with one version: a short form, and a full form with times."""
    tags = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    times = {"created": PUBLISHED, "modified": PUBLISHED, "1.0.0": PUBLISHED}
    short = json.dumps({**tags, "modified": PUBLISHED}).encode()
    full = json.dumps({**tags, "time": times}).encode()

    def answer(exchange: Exchange) -> None:
        wants_short = "vnd.npm.install-v1" in exchange.headers.get("Accept", "")
        media_type = "application/vnd.npm.install-v1+json" if wants_short else "application/json"
        fields = {"Content-Type": media_type, "Vary": "Accept", "Cache-Control": "max-age=300"}
        exchange.reply(200, short if wants_short else full, fields)

    return answer
