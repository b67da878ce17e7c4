"""Squid as a peer of the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench.peers import squid

HELPER = """#!/bin/sh
# As Squid's own: security_file_certgen -c -s FOLDER -M SIZE fails if the folder exists.
mkdir "$3"
"""


def test_a_second_start_makes_the_database_of_certificates_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "security_file_certgen"
    helper.write_text(HELPER)
    helper.chmod(0o700)
    monkeypatch.setattr(squid, "CERTIFICATE_HELPER", str(helper))
    certificates = tmp_path / "certificates"

    squid.make_certificate_database(certificates)
    (certificates / "of-the-first-CA.pem").touch()
    squid.make_certificate_database(certificates)

    assert list(certificates.iterdir()) == []
