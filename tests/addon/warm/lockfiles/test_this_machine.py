"""Files and packages are chosen for the system, the processor and the C library of this machine."""

from __future__ import annotations

import pytest
from packaging.tags import platform_tags

from addon.warm.lockfiles.this_machine import allows_npm_package, is_gem_platform, python_files

HERE = next(platform_tags())
"""The first of the platforms whose wheels this machine runs."""


@pytest.fixture
def linux_on_x64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.40"))


def test_the_wheels_for_this_machine_are_chosen_for_any_python() -> None:
    here = [f"a-1-cp312-cp312-{HERE}.whl", f"a-1-cp313-cp313-{HERE}.whl"]
    others = ["a-1-cp313-cp313-otheros_1.whl", "a-1.tar.gz", "a.whl"]
    assert python_files([*others, *here], str) == here
    assert python_files(["a-1-py3-none-any.whl"], str) == ["a-1-py3-none-any.whl"]


def test_without_a_wheel_for_this_machine_the_source_archive_is_chosen() -> None:
    assert python_files(["a-1-cp313-cp313-otheros_1.whl", "a-1.tar.gz"], str) == ["a-1.tar.gz"]


@pytest.mark.usefixtures("linux_on_x64")
@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ({}, True),
        ({"os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]}, True),
        ({"os": "linux"}, True),
        ({"os": ["darwin", "linux"]}, True),
        ({"os": ["darwin"]}, False),
        ({"os": ["!linux"]}, False),
        ({"os": ["!darwin"]}, True),
        ({"cpu": ["arm64"]}, False),
        ({"cpu": ["any"]}, True),
        ({"libc": ["musl"]}, False),
        ({"os": 1}, True),
    ],
)
def test_a_package_of_npm_names_the_machines_that_it_is_for(package: dict[str, object], allowed: bool) -> None:
    assert allows_npm_package(package) == allowed


@pytest.mark.usefixtures("linux_on_x64")
@pytest.mark.parametrize(
    ("platform", "is_here"),
    [
        ("x86_64-linux", True),
        ("x86_64-linux-gnu", True),
        ("x64-linux", True),
        ("universal-linux", True),
        ("x86_64-linux-musl", False),
        ("aarch64-linux", False),
        ("x86_64-darwin", False),
        ("java", False),
    ],
)
def test_a_gem_names_its_platform(platform: str, is_here: bool) -> None:
    assert is_gem_platform(platform) == is_here
