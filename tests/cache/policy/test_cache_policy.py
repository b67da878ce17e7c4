"""What holds where nobody decided anything: the defaults of a policy are those of the settings."""

from __future__ import annotations

from dataclasses import fields

import pytest

from addon.config.origin import OriginSettings
from addon.config.settings import Settings
from cache.policy.cache_policy import CachePolicy, Reach

SHIPPED_WITH_THE_SETTINGS = ("clients", "lifetimes")


@pytest.mark.parametrize("name", [each.name for each in fields(CachePolicy)])
def test_a_default_is_that_of_the_settings(name: str) -> None:
    if name not in SHIPPED_WITH_THE_SETTINGS:
        assert getattr(CachePolicy(), name) == getattr(Settings().policy(), name)


def test_tunnels_end_where_the_settings_say() -> None:
    assert Reach().connect_ports == set(OriginSettings().connect_ports)
