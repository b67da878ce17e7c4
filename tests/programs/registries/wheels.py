"""A simple index as pip reads it, with the metadata of wheels beside them."""

from __future__ import annotations

import hashlib

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin
from tests.programs.registries.archives import zipped


def serve_wheels(origin: Origin, base: str) -> str:
    """Serve `specimen`, which needs `leaf`; return the index's URL."""
    for name, needs in (("leaf", ""), ("specimen", "Requires-Dist: leaf\n")):
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"
        about = f"{name}-1.0.dist-info"
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel = zipped({f"{about}/METADATA": metadata, f"{about}/WHEEL": tags, f"{about}/RECORD": ""})
        file = f"{name}-1.0-py3-none-any.whl"
        digests = [hashlib.sha256(octets).hexdigest() for octets in (wheel, metadata.encode())]
        link = f'<a href="../../files/{file}#sha256={digests[0]}" data-core-metadata="sha256={digests[1]}">{file}</a>'
        origin.offer(f"{base}/simple/{name}/", page(f"<!DOCTYPE html>{link}".encode(), "text/html"))
        origin.offer(f"{base}/files/{file}", page(wheel, "application/zip"))
        origin.offer(f"{base}/files/{file}.metadata", page(metadata.encode()))
    return f"{base}/simple/"
