"""The recipes for a corporate proxy, for Kubernetes and for systemd, with the paths and addresses of a test."""

from __future__ import annotations

import configparser
import signal
import subprocess
from pathlib import Path

import yaml

from tests.fixtures.documentation import block, replaced
from tests.fixtures.environment import environment
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT, Proxy
from tests.fixtures.service_manager import ServiceManager
from tests.fixtures.static_pages import serve_page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl, program, run


def test_a_corporate_proxy_with_a_ca_of_its_own(tmp_path: Path, ca: ThrowawayCA, secure_origin: Origin) -> None:
    url = serve_page(secure_origin, "/corporate", b"through both")
    (tmp_path / "corporate").mkdir()
    with Proxy(tmp_path / "corporate", origin_ca=ca.file) as corporate:
        settings = replaced(
            block("recipes/corporate-proxy.md", "toml"),
            ("http://proxy.corp.example:3128", corporate.url),
            ("/etc/ssl/corp-ca.pem", corporate.certificate),
        )
        (tmp_path / "config.toml").write_text(settings)
        command = ("secondhand", "serve", "--config", str(tmp_path / "config.toml"))
        with Proxy(tmp_path, command=command) as proxy:
            answers = [curl(proxy, url), curl(proxy, url)]
            assert [answer.status for answer in answers] == [200, 203]
            assert {answer.content for answer in answers} == {b"through both"}
            assert corporate.counters()["requests.https"] == 1


def variables(container: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def test_a_sidecar_is_ready_before_the_program_that_trusts_it(
    tmp_path: Path, ca: ThrowawayCA, secure_origin: Origin
) -> None:
    port = free_port()
    text = replaced(
        block("recipes/kubernetes.md", "yaml"),
        ("/copies", tmp_path / "copies"),
        ("/certificate/", f"{tmp_path}/certificate/"),
        ("127.0.0.1:3128", f"127.0.0.1:{port}"),
    )
    (tmp_path / "certificate").mkdir()
    pod = yaml.safe_load(text)["spec"]
    sidecar, exporting = pod["initContainers"]
    (worker,) = pod["containers"]
    assert sidecar["restartPolicy"] == "Always"
    settings = {name.removeprefix("SECONDHAND_"): value for name, value in variables(sidecar).items()}
    assert variables(exporting) == variables(sidecar)
    probe = sidecar["startupProbe"]["exec"]["command"]
    is_ready = [COMMANDS / probe[0], *probe[1:]]
    before = subprocess.run(is_ready, env=environment(tmp_path) | variables(sidecar), capture_output=True)
    assert before.returncode == 1
    with Proxy(tmp_path, origin_ca=ca.file, command=("secondhand", *sidecar["args"]), settings=settings) as proxy:
        assert proxy.port == port
        assert subprocess.run(is_ready, env=environment(tmp_path) | variables(sidecar)).returncode == 0
        proxy.run(*exporting["args"])
        asked = {**variables(worker), "CURL_CA_BUNDLE": variables(worker)["SSL_CERT_FILE"], "NO_PROXY": "none.invalid"}
        url = serve_page(secure_origin, "/worker", b"to the worker")
        assert run(tmp_path, program("curl"), "--silent", "--show-error", url, **asked) == "to the worker"
        assert proxy.counters()["requests.https"] == 1


def test_systemd_accepts_and_runs_the_user_service(tmp_path: Path) -> None:
    text = replaced(
        block("recipes/systemd-user-service.md", "ini"), ("%h/.local/bin/secondhand", COMMANDS / "secondhand")
    )
    unit = tmp_path / "secondhand.service"
    unit.write_text(text)
    said = subprocess.run(
        [program("systemd-analyze"), "--user", "verify", str(unit)],
        env=environment(tmp_path) | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    ).stderr
    assert "secondhand.service" not in said
    parser = configparser.RawConfigParser()
    parser.optionxform = str
    parser.read_string(text)
    service = parser["Service"]
    with ServiceManager(tmp_path) as manager:
        told = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": str(int(service["WatchdogSec"]) * 1_000_000)}
        settings = {"SECONDHAND_LISTEN": "127.0.0.1:0"}
        process = subprocess.Popen(
            service["ExecStart"].split(), env=environment(tmp_path) | told | settings, stdout=subprocess.DEVNULL
        )
        try:
            assert manager.wait_for("READY") == "1"
            process.send_signal(signal.SIGHUP)  # as ExecReload does
            assert "-HUP $MAINPID" in service["ExecReload"]
            assert manager.wait_for("RELOADING") == "1"
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()
