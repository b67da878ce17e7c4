"""A Cargo registry: a sparse index, and an archive for each crate."""

from __future__ import annotations

import hashlib
import json

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin
from tests.programs.registries.archives import tar_gz


def serve_cargo_registry(origin: Origin, base: str) -> str:
    """Serve the crate `specimen`, which needs the crate `leaf`. Return the index URL for the settings of Cargo."""
    origin.offer(f"{base}/index/config.json", page(json.dumps({"dl": f"{base}/crates"}).encode(), "application/json"))
    for name, path, needs in (("leaf", "le/af", []), ("specimen", "sp/ec", ["leaf"])):
        manifest = f'[package]\nname = "{name}"\nversion = "1.0.0"\n[dependencies]\n'
        manifest += "".join(f'{each} = "1"\n' for each in needs)
        crate = tar_gz({f"{name}-1.0.0/Cargo.toml": manifest, f"{name}-1.0.0/src/lib.rs": "// nothing\n"})
        line = {
            "name": name,
            "vers": "1.0.0",
            "deps": [_dependency(each) for each in needs],
            "cksum": hashlib.sha256(crate).hexdigest(),
            "features": {},
            "yanked": False,
        }
        # like the public index: it must be validated each time
        origin.offer(f"{base}/index/{path}/{name}", page(json.dumps(line).encode(), cache_control="max-age=0"))
        origin.offer(f"{base}/crates/{name}/1.0.0/download", page(crate, "application/gzip"))
    return f"sparse+{base}/index/"


def _dependency(name: str) -> dict[str, object]:
    return {
        "name": name,
        "req": "^1",
        "features": [],
        "optional": False,
        "default_features": True,
        "target": None,
        "kind": "normal",
    }
