"""Container images with `secondhand run`, from a registry that requires tokens and redirects to signed URLs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.installed_programs import program
from tests.programs.offline_rerun import files_in_both, run_online_then_offline
from tests.programs.registries.containers import BLOBS, ContainerRegistry
from tests.programs.secondhand_run import Runner


@pytest.fixture
def origin(ca: ThrowawayCA) -> Iterator[AllHostsOrigin]:
    with AllHostsOrigin(ca, "registry.test", "tokens.test", "blobs.test") as origin:
        yield origin


def pull_command(*images: str, into: str) -> tuple[str, ...]:
    """Return a command that pulls images by their tags and digests."""
    pull = f"{program('skopeo')} --insecure-policy copy docker://registry.test/specimen"
    pulls = (f"{pull}{image} dir:{into}/{number}" for number, image in enumerate(images))
    return "sh", "-c", " && ".join([f"mkdir {into}", *pulls])


def test_an_image_is_pulled_again_without_a_network(runner: Runner, origin: AllHostsOrigin) -> None:
    registry = ContainerRegistry(origin)
    images = ":latest", f"@{registry.digest}"

    run_online_then_offline(runner, origin, pull_command(*images, into="first"), pull_command(*images, into="second"))

    assert {"0/manifest.json", "1/manifest.json"} <= files_in_both(runner, "*/*").keys()


def test_a_blob_is_fetched_once_although_each_url_has_another_signature(runner: Runner, origin: AllHostsOrigin) -> None:
    ContainerRegistry(origin)

    first, second = (
        runner("--", *pull_command(":latest", into=name), SECONDHAND_ORIGIN__PROXY=origin.proxy)
        for name in ("first", "second")
    )

    assert (first.code, second.code) == (0, 0), first.errors + second.errors
    assert "0/manifest.json" in files_in_both(runner, "*/*")
    assert (first.count("from copies"), second.count("from copies")) == (0, 2)  # the layer and the configuration
    signed = [request.target for request in origin.requests if request.target.startswith(BLOBS)]
    assert len(signed) == 2
