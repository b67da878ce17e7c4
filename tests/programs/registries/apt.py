"""An apt repository: a release, its indexes by their digests, and a pool of packages."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin

_CONTROL = """Package: specimen
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: nothing
"""


def serve_apt_repository(origin: Origin, base: str, folder: Path) -> str:
    """Build the package `specimen` in a folder, and serve it. Return the line for sources.list."""
    (control := folder / "specimen" / "DEBIAN").mkdir(parents=True)
    (control / "control").write_text(_CONTROL)
    built = folder / "specimen.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", folder / "specimen", built], check=True)
    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout
    deb, name = built.read_bytes(), "pool/main/s/specimen/specimen_1.0_all.deb"
    index = f"{_CONTROL}Filename: {name}\nSize: {len(deb)}\nSHA256: {hashlib.sha256(deb).hexdigest()}\n\n"
    packages, kind = gzip.compress(index.encode()), f"main/binary-{architecture.strip()}"
    listed = "".join(
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {kind}/{file}\n"
        for file, content in (("Packages", index.encode()), ("Packages.gz", packages))
    )
    release = f"Suite: stable\nCodename: stable\nComponents: main\nArchitectures: {architecture}"
    release += f"Date: Mon, 01 Jan 2024 00:00:00 UTC\nAcquire-By-Hash: yes\nSHA256:\n{listed}"
    by_hash = f"{kind}/by-hash/SHA256/{hashlib.sha256(packages).hexdigest()}"
    # apt requests a signed release first, and accepts this one because its source is marked as trusted
    origin.offer(f"{base}/dists/stable/Release", page(release.encode(), cache_control="max-age=120"))
    origin.offer(f"{base}/dists/stable/{by_hash}", page(packages, "application/gzip"))
    origin.offer(f"{base}/{name}", page(deb, "application/vnd.debian.binary-package"))
    return f"deb [trusted=yes] {base} stable main\n"
