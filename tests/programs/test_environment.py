"""Programs in tests do not see the settings of whoever runs the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs.installed_programs import run

CI = ("CI", "CONTINUOUS_INTEGRATION", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD")
SETTINGS = (
    *("npm_config_registry", "YARN_ENABLE_IMMUTABLE_INSTALLS", "BUN_CONFIG_REGISTRY", "NODE_OPTIONS", "PIP_INDEX_URL"),
    *("UV_INDEX_URL", "POETRY_VIRTUALENVS_CREATE", "PDM_PYPI_URL", "VIRTUAL_ENV", "BUNDLE_FROZEN", "COMPOSER_HOME"),
    *(
        "CARGO_HOME",
        "GOFLAGS",
        "GOPROXY",
        "MAVEN_OPTS",
        "JAVA_TOOL_OPTIONS",
        "GIT_DIR",
        "SECONDHAND_LISTEN",
        "NO_COLOR",
    ),
)


def test_programs_neither_notice_ci_nor_see_settings_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In CI Yarn changes no lock file, for example."""
    for name in (*CI, *SETTINGS):
        monkeypatch.setenv(name, "1")
    seen = {line.partition("=")[0] for line in run(tmp_path, "env").splitlines()}
    assert "PATH" in seen
    assert not seen.intersection((*CI, *SETTINGS))


def test_programs_are_found_where_they_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = {"JAVA_HOME", "RUSTUP_HOME", "GOROOT", "MAVEN_HOME", "GEM_HOME"}
    for name in homes:
        monkeypatch.setenv(name, "/opt")
    assert homes <= {line.partition("=")[0] for line in run(tmp_path, "env").splitlines()}
