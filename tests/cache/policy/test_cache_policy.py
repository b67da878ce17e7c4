"""The defaults of a cache policy are those of the settings."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from addon.config.origin import OriginSettings
from addon.config.settings import Settings
from cache.policy.cache_policy import CachePolicy, KeyPolicy, Presentation, Shortcuts, StoringPolicy
from cache.policy.operator_rules import AnnotationRule, TargetRules

ONLY_IN_THE_SETTINGS = {("presentation", "clients"), ("freshness", "lifetimes"), ("codings", "content_types")}
"""Lists that come with the settings and are empty in a policy."""

GROUPS = [
    (group.name, setting.name)
    for group in fields(CachePolicy)
    if is_dataclass(getattr(CachePolicy(), group.name))
    for setting in fields(getattr(CachePolicy(), group.name))
]


@pytest.mark.parametrize(("group", "name"), GROUPS)
def test_each_default_in_a_group_is_that_of_the_settings(group: str, name: str) -> None:
    if (group, name) not in ONLY_IN_THE_SETTINGS:
        assert getattr(getattr(CachePolicy(), group), name) == getattr(getattr(Settings().policy(), group), name)


@pytest.mark.parametrize("name", ["recording", "hosts", "targeted_fields"])
def test_each_default_outside_of_groups_is_that_of_the_settings(name: str) -> None:
    assert getattr(CachePolicy(), name) == getattr(Settings().policy(), name)


def test_the_default_ports_for_connect_are_those_of_the_settings() -> None:
    assert TargetRules().connect_ports == set(OriginSettings().connect_ports)


@pytest.mark.parametrize(
    ("parts", "shortcuts"),
    [
        ({}, Shortcuts(direct_fetch=True, request_template=True, hot_response=True, response_pattern=True)),
        (
            {"keying": KeyPolicy(no_vary_search=True)},
            Shortcuts(direct_fetch=False, request_template=False, hot_response=False, response_pattern=False),
        ),
        (
            {"presentation": Presentation(annotations=(AnnotationRule(set=(("X-Uri", "{uri}"),)),))},
            Shortcuts(direct_fetch=True, request_template=False, hot_response=True, response_pattern=False),
        ),
        (
            {"presentation": Presentation(annotations=(AnnotationRule(append=(("X-Age", "{age}"),)),))},
            Shortcuts(direct_fetch=True, request_template=False, hot_response=False, response_pattern=False),
        ),
        (
            {"presentation": Presentation(memento=True)},
            Shortcuts(direct_fetch=True, request_template=True, hot_response=True, response_pattern=False),
        ),
        (
            {"storing": StoringPolicy(captures=2)},
            Shortcuts(direct_fetch=True, request_template=True, hot_response=True, response_pattern=False),
        ),
    ],
)
def test_a_policy_forbids_the_shortcuts_past_its_rules(parts: dict[str, Any], shortcuts: Shortcuts) -> None:
    assert CachePolicy(**parts).shortcuts == shortcuts
