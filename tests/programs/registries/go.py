"""A Go module proxy."""

from __future__ import annotations

import json

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin
from tests.programs.registries.archives import zipped


def serve_go_proxy(origin: Origin, base: str) -> str:
    """Serve the module example.org/specimen, which needs example.org/leaf. Return the value for GOPROXY."""
    for name, needs in (("leaf", ""), ("specimen", "require example.org/leaf v1.0.0\n")):
        module = f"example.org/{name}"
        manifest = f"module {module}\n\ngo 1.19\n{needs}"
        info = json.dumps({"Version": "v1.0.0", "Time": "2024-01-01T00:00:00Z"}).encode()
        archive = zipped({f"{module}@v1.0.0/go.mod": manifest, f"{module}@v1.0.0/a.go": f"package {name}\n"})
        origin.offer(f"{base}/{module}/@v/list", page(b"v1.0.0\n", cache_control="public, max-age=60"))
        origin.offer(f"{base}/{module}/@v/v1.0.0.info", page(info, "application/json"))
        origin.offer(f"{base}/{module}/@v/v1.0.0.mod", page(manifest.encode()))
        origin.offer(f"{base}/{module}/@v/v1.0.0.zip", page(archive, "application/zip"))
    return base
