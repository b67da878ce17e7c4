"""A simple index of Python packages: wheels, with their metadata in separate files."""

from __future__ import annotations

import hashlib

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin
from tests.programs.registries.archives import zipped


def serve_python_index(origin: Origin, base: str) -> str:
    """Serve `specimen`, which needs `leaf`. Return the URL of the index."""
    for name, needs in (("leaf", ""), ("specimen", "Requires-Dist: leaf\n")):
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"
        info = f"{name}-1.0.dist-info"
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel = zipped({f"{info}/METADATA": metadata, f"{info}/WHEEL": tags, f"{info}/RECORD": ""})
        file = f"{name}-1.0-py3-none-any.whl"
        digests = [hashlib.sha256(data).hexdigest() for data in (wheel, metadata.encode())]
        link = f'<a href="../../files/{file}#sha256={digests[0]}" data-core-metadata="sha256={digests[1]}">{file}</a>'
        origin.offer(f"{base}/simple/{name}/", page(f"<!DOCTYPE html>{link}".encode(), "text/html"))
        origin.offer(f"{base}/files/{file}", page(wheel, "application/zip"))
        origin.offer(f"{base}/files/{file}.metadata", page(metadata.encode()))
    return f"{base}/simple/"
