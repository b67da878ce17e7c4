"""Images of containers by `secondhand run`, from a registry that wants tokens and keeps its blobs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.throwaway_ca import Authority
from tests.programs.again import left_by_both, run_again_without_it
from tests.programs.every_name import EveryName
from tests.programs.programs import program
from tests.programs.registries.images import BLOBS, ContainerRegistry
from tests.programs.running import Runner


@pytest.fixture
def origin(authority: Authority) -> Iterator[EveryName]:
    origin = EveryName(authority, "registry.test", "tokens.test", "blobs.test")
    yield origin
    if not origin.stopped:
        origin.stop()


def pulling(*images: str, into: str) -> tuple[str, ...]:
    """A command that pulls images by their tags and digests."""
    pull = f"{program('skopeo')} --insecure-policy copy docker://registry.test/specimen"
    pulls = (f"{pull}{image} dir:{into}/{number}" for number, image in enumerate(images))
    return "sh", "-c", " && ".join([f"mkdir {into}", *pulls])


def test_an_image_is_pulled_again_without_a_network(runner: Runner, origin: EveryName) -> None:
    registry = ContainerRegistry(origin)
    images = ":latest", f"@{registry.digest}"

    run_again_without_it(runner, origin, pulling(*images, into="first"), pulling(*images, into="second"))

    assert {"0/manifest.json", "1/manifest.json"} <= left_by_both(runner, "*/*").keys()


def test_a_blob_is_fetched_once_whatever_its_url_is_signed_with(runner: Runner, origin: EveryName) -> None:
    ContainerRegistry(origin)

    first, second = (
        runner("--", *pulling(":latest", into=name), SECONDHAND_ORIGIN__PROXY=origin.proxy)
        for name in ("first", "second")
    )

    assert (first.code, second.code) == (0, 0), first.errors + second.errors
    assert "0/manifest.json" in left_by_both(runner, "*/*")
    assert (first.count("from copies"), second.count("from copies")) == (0, 2)  # the layer, and its configuration
    signed = [seen.target for seen in origin.requests if seen.target.startswith(BLOBS)]
    assert len(signed) == 2
