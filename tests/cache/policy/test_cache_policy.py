"""A cache policy: its defaults are those of the settings."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from addon.config.origin import OriginSettings
from addon.config.settings import Settings
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import TargetRules

SHIPPED_WITH_THE_SETTINGS = {("presentation", "clients"), ("freshness", "lifetimes")}

GROUPS = [
    (group.name, setting.name)
    for group in fields(CachePolicy)
    if is_dataclass(getattr(CachePolicy(), group.name))
    for setting in fields(getattr(CachePolicy(), group.name))
]


@pytest.mark.parametrize(("group", "name"), GROUPS)
def test_the_defaults_of_a_policy_are_those_of_the_settings(group: str, name: str) -> None:
    if (group, name) not in SHIPPED_WITH_THE_SETTINGS:
        assert getattr(getattr(CachePolicy(), group), name) == getattr(getattr(Settings().policy(), group), name)


@pytest.mark.parametrize("name", ["recording", "hosts", "targeted_fields"])
def test_the_ungrouped_defaults_are_those_of_the_settings_too(name: str) -> None:
    assert getattr(CachePolicy(), name) == getattr(Settings().policy(), name)


def test_tunnels_end_where_the_settings_say() -> None:
    assert TargetRules().connect_ports == set(OriginSettings().connect_ports)
