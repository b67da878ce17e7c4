"""An npm registry."""

from __future__ import annotations

import base64
import hashlib
import json

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Exchange, Origin
from tests.programs.registries.archives import tar_gz


def serve_npm_registry(origin: Origin, base: str) -> dict[str, str]:
    """Serve `specimen`, which needs `leaf`. Return the files of a project that needs both, with a lock file."""
    needs = {"leaf": {}, "specimen": {"leaf": "^1.0.0"}}
    locked: dict[str, object] = {"": {"name": "a", "version": "1.0.0", "dependencies": {"specimen": "^1.0.0"}}}
    for name, dependencies in needs.items():
        manifest = {"name": name, "version": "1.0.0", "dependencies": dependencies}
        archive = tar_gz({"package/package.json": json.dumps(manifest), "package/index.js": "// nothing\n"})
        url = origin.offer(f"{base}/{name}/-/{name}-1.0.0.tgz", page(archive, "application/octet-stream"))
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
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
