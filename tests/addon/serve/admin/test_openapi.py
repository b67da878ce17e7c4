"""The OpenAPI document, and the admin API under requests that are made of it."""

from __future__ import annotations

import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection

from addon.pipeline.purge_orders import order_of
from addon.serve.admin.arguments import PurgeArguments
from addon.serve.admin.openapi import document
from addon.serve.admin.operations import OPERATIONS
from cache.policy.cache_policy import CachePolicy
from tests.fixtures.admin_client import AdminClient

SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS))
SCHEMA.config.phases.coverage.enabled = False  # a minute's worth of requests that differ in one detail each

ACCEPTING_MORE = {
    f"{each.method} {each.path}" for each in OPERATIONS if '"pattern"' in json.dumps(each.arguments.model_json_schema())
}
"""Operations that accept further texts than those that match a pattern of the document (addon/serve/admin/texts.py)."""


@SCHEMA.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_response_is_as_the_document_says(case: schemathesis.Case, admin: AdminClient) -> None:
    excluded = [negative_data_rejection] if case.operation.label in ACCEPTING_MORE else []
    case.call_and_validate(
        base_url=f"http://{admin.host}:{admin.port}",
        headers=admin.authorization,
        excluded_checks=excluded,
        timeout=60,
    )


def test_the_document_is_served_and_names_every_operation(admin: AdminClient) -> None:
    served = admin.get("/openapi.json").json
    assert served == document(OPERATIONS)
    named = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    assert named - {("GET", "/healthz"), ("GET", "/readyz")} == {(each.method, each.path) for each in OPERATIONS}
    assert admin.ask("GET", "/openapi.json").status == 401


@pytest.mark.parametrize("name", ["url", "prefix", "pattern", "host"])
def test_everything_that_the_pattern_of_an_argument_allows_is_understood(name: str) -> None:
    schema = PurgeArguments.model_json_schema()["properties"][name]

    @settings(max_examples=200, deadline=None, database=None)
    @given(st.from_regex(re.compile(schema["pattern"]), fullmatch=True))
    def is_understood(text: str) -> None:
        given_arguments = PurgeArguments.model_validate({name: text})
        order_of(given_arguments.of_command(), CachePolicy(), ())

    is_understood()
