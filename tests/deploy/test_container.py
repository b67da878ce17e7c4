"""The image: it has what the program needs, and the program runs there without root and without writable files."""

from __future__ import annotations

import re
from pathlib import Path

from addon.config.load import configure
from tests.deploy.files import DEPLOY, ROOT, read_yaml

TEXT = (DEPLOY / "container" / "Containerfile").read_text()
STAGES = re.split(r"(?m)^FROM ", TEXT)[1:]


def test_the_image_is_built_in_a_stage_of_its_own() -> None:
    build, image = STAGES
    assert build.splitlines()[0].endswith(" AS build")
    assert "pip install" in build
    assert "pip install" not in image
    assert "COPY --from=build /opt/secondhand /opt/secondhand" in image


def test_everything_that_is_copied_exists_and_is_in_the_context() -> None:
    ignored = (DEPLOY / "container" / "Containerfile.dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {source for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", TEXT) for source in line.split()[:-1]}
    assert copied == allowed
    for source in copied:
        assert (ROOT / source).exists(), source


def test_the_build_has_what_the_package_names() -> None:
    """The readme and the licence are needed besides the packages."""
    project = (ROOT / "pyproject.toml").read_text()
    for name in ("README.md", "LICENSE"):
        assert name in project
        assert name in TEXT


def test_the_program_is_not_root_and_its_health_is_checked() -> None:
    image = STAGES[1]
    user = re.search(r"(?m)^USER (\d+):(\d+)$", image)
    assert user
    assert int(user[1]) > 0
    assert f"chown {user[1]}:{user[2]} " in image
    settings = configure(DEPLOY / "container" / "config.toml", {}, {}).settings
    assert f"http://127.0.0.1:{settings.admin.port}/healthz" in image
    volumes = re.search(r"(?m)^VOLUME (\[.*\])$", image)
    assert volumes
    for folder in (settings.store.directory, settings.ca_directory):
        assert any(folder.is_relative_to(Path(volume)) for volume in re.findall(r'"([^"]+)"', volumes[1]))


def test_services_of_compose_are_confined_and_their_files_exist() -> None:
    compose = read_yaml("compose/compose.yaml")
    secondhand = compose["services"]["secondhand"]
    assert secondhand["read_only"]
    assert secondhand["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in secondhand["security_opt"]
    folder = DEPLOY / "compose"
    assert (folder / secondhand["build"]["context"] / secondhand["build"]["dockerfile"]).is_file()
    for service in compose["services"].values():
        assert "image" in service
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (folder / source).exists() if source.startswith(".") else source in compose["volumes"]
    valkey = read_yaml("compose/compose.valkey.yaml")["services"]
    assert set(valkey["secondhand"]["depends_on"]) == {"app", "valkey"}
    assert valkey["valkey"]["read_only"]


def test_each_volume_of_the_composed_edge_has_a_folder_that_its_settings_name() -> None:
    settings = configure(DEPLOY / "compose" / "config.toml", {}, {}).settings
    named = read_yaml("compose/compose.yaml")["services"]["secondhand"]["volumes"][1:]  # the first one is the settings
    assert [volume for volume in named if not settings.store.directory.is_relative_to(volume.partition(":")[2])] == []


def test_prometheus_asks_by_a_name_that_the_admin_api_accepts() -> None:
    (scrape,) = read_yaml("compose/prometheus.yml")["scrape_configs"]
    (target,) = scrape["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    settings = configure(DEPLOY / "compose" / "config.toml", {}, {}).settings
    assert host in settings.admin.hosts
    assert int(port) == settings.admin.port
