"""The programs that read the files in `deploy/` accept them: systemd, kubectl, and promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.programs.installed_programs import program, run

MAX_EXPOSURE = 20
"""Tenths, as `systemd-analyze security` counts how much a service could do: 100 is the most."""


def verified(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_accepts_the_units_and_finds_them_confined(tmp_path: Path) -> None:
    for name in ("secondhand.service", "secondhand.socket"):
        text = (DEPLOY / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/bin/secondhand", str(COMMANDS / "secondhand")))
    analyze, service = program("systemd-analyze"), str(tmp_path / "secondhand.service")
    assert "secondhand" not in verified(analyze, "--man=no", "verify", service, str(tmp_path / "secondhand.socket"))
    verified(analyze, "security", "--offline=true", "--no-pager", f"--threshold={MAX_EXPOSURE}", service)


@pytest.fixture(params=["base", "overlays/requests-metric"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The objects of a kustomization, by kind."""
    text = run(tmp_path, program("kubectl"), "kustomize", str(DEPLOY / "kubernetes" / request.param))
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def test_the_objects_for_kubernetes_belong_together(objects: dict[str, Any]) -> None:
    assert objects.keys() == {"ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"}
    deployment = objects["Deployment"]["spec"]
    template = deployment["template"]
    labels = template["metadata"]["labels"].items()
    assert deployment["selector"]["matchLabels"].items() <= labels
    assert objects["Service"]["spec"]["selector"].items() <= labels
    assert objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "secondhand"
    (volume,) = [each for each in template["spec"]["volumes"] if "configMap" in each]
    assert volume["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]


def test_a_pod_is_confined_and_probed(objects: dict[str, Any]) -> None:
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"http": 8080, "admin": 9000}
    assert {each["mountPath"] for each in container["volumeMounts"]} >= {"/var/cache/secondhand", "/tmp"}
    assert container["image"].startswith("registry.example/secondhand:")


def test_prometheus_accepts_the_alerts() -> None:
    verified(program("promtool"), "check", "rules", str(DEPLOY / "prometheus" / "alerts.yml"))


def test_prometheus_accepts_the_configuration_of_compose(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "prometheus.yml").read_text()
    text = text.replace("/etc/prometheus/alerts.yml", str(DEPLOY / "prometheus" / "alerts.yml"))
    (tmp_path / "prometheus.yml").write_text(text)
    verified(program("promtool"), "check", "config", str(tmp_path / "prometheus.yml"))
