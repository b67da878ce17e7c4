"""The variables that make programs use the proxy, and the files that make them trust its CA."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from addon.programs.run.variables import Shell, script, variables
from addon.programs.trust.client_authorities import CA_FILES
from addon.programs.trust.files import (
    STORE_PASSWORD,
    TrustFiles,
    known_certificates,
    system_bundle,
    write_origins_file,
    write_trust_files,
)
from tests.fixtures.throwaway_ca import ThrowawayCA

PROXY = "http://127.0.0.1:8080"


@pytest.fixture
def files(tmp_path: Path) -> TrustFiles:
    return TrustFiles(tmp_path / "a b.pem", tmp_path / "a b.p12", tmp_path / "apt.conf")


def test_there_are_variables_for_every_kind_of_program(files: TrustFiles) -> None:
    values = variables(PROXY, files, {})
    assert {values[name] for name in ("HTTP_PROXY", "https_proxy", "CARGO_HTTP_PROXY")} == {PROXY}
    assert values["NO_PROXY"] == values["no_proxy"] == "localhost,127.0.0.1,::1"
    assert {values[name] for name in CA_FILES} == {str(files.bundle)}
    assert f'"-Djavax.net.ssl.trustStore={files.java}"' in values["JAVA_TOOL_OPTIONS"]
    assert "-Daether.connector.http.useSystemProperties=true" in values["JAVA_TOOL_OPTIONS"].split()
    assert values["NODE_USE_ENV_PROXY"] == "1"


def test_requests_for_this_machine_are_proxied_only_on_demand(files: TrustFiles) -> None:
    assert variables(PROXY, files, {}, localhost=True)["NO_PROXY"] == ""


def test_existing_options_of_node_and_java_are_kept(files: TrustFiles) -> None:
    values = variables(PROXY, files, {"NODE_OPTIONS": "--max-old-space-size=1", "JAVA_TOOL_OPTIONS": "-Dx=y"})
    assert values["NODE_OPTIONS"].startswith("--max-old-space-size=1 --require ")
    assert values["JAVA_TOOL_OPTIONS"].startswith("-Dx=y -D")
    assert variables(PROXY, files, values)["NODE_OPTIONS"] == values["NODE_OPTIONS"]


def test_gradle_starts_no_daemon_that_would_outlive_the_proxy(files: TrustFiles) -> None:
    values = variables(PROXY, files, {"GRADLE_OPTS": "-Xmx1g"})
    assert values["GRADLE_OPTS"] == "-Xmx1g -Dorg.gradle.daemon=false"


def test_powershell_doubles_quotes() -> None:
    assert script({"A": "it's"}, Shell.POWERSHELL) == "$env:A = 'it''s'\n"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # in the CA certificates of some systems
def test_the_bundle_has_the_cas_of_the_system_of_the_user_and_of_the_proxy(tmp_path: Path) -> None:
    ours, users = (ThrowawayCA(tmp_path, name).file for name in ("ours", "users"))
    environ = {"NODE_EXTRA_CA_CERTS": str(users)}
    known = known_certificates(environ)
    written = write_trust_files(tmp_path, ours.read_bytes(), known, environ)
    bundle = written.bundle.read_bytes()
    begin = b"-----BEGIN CERTIFICATE-----"
    assert bundle.count(begin) == len(set(system_bundle({}).read_bytes().split(begin)[1:])) + 2
    assert ours.read_bytes().strip() in bundle
    assert users.read_bytes().strip() in bundle
    java = pkcs12.load_pkcs12(written.java.read_bytes(), STORE_PASSWORD.encode())
    assert len(java.additional_certs) == bundle.count(begin)
    assert f'CAInfo "{written.bundle}"' in written.apt.read_text()
    file = write_origins_file(tmp_path, known, ours.read_bytes())
    assert file is not None
    origins = file.read_bytes()
    assert users.read_bytes() in origins
    assert ours.read_bytes() not in origins


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # in the CA certificates of some systems
def test_what_is_no_certificate_is_not_trusted_for_origins(tmp_path: Path) -> None:
    ours = ThrowawayCA(tmp_path, "ours").file
    (users := tmp_path / "users.pem").write_text("-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n")
    environ = {"HOME": str(tmp_path), "CURL_CA_BUNDLE": str(users)}
    origins = write_origins_file(tmp_path, known_certificates(environ), ours.read_bytes())
    assert origins is None or b"YQ==" not in origins.read_bytes()


def test_a_ca_file_that_does_not_exist_is_ignored(tmp_path: Path) -> None:
    ours = ThrowawayCA(tmp_path, "ours").file
    environ = {"PIP_CERT": str(tmp_path / "gone")}
    write_trust_files(tmp_path, ours.read_bytes(), known_certificates(environ), environ)


def test_an_existing_apt_configuration_is_included(tmp_path: Path) -> None:
    ours = ThrowawayCA(tmp_path, "ours").file
    environ = {"APT_CONFIG": "/etc/apt/mine.conf"}
    written = write_trust_files(tmp_path, ours.read_bytes(), known_certificates(environ), environ)
    assert written.apt.read_text().startswith('#include "/etc/apt/mine.conf";\n')


def test_the_apt_configuration_does_not_include_itself(tmp_path: Path) -> None:
    ours = ThrowawayCA(tmp_path, "ours").file
    environ = {"APT_CONFIG": str(tmp_path / "apt.conf")}
    for _ in range(2):
        written = write_trust_files(tmp_path, ours.read_bytes(), known_certificates(environ), environ)
    assert "#include" not in written.apt.read_text()
