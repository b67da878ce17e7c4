"""The alerts and the dashboard ask for metrics that there are, by labels that these have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from addon.runtime.metrics.definitions import METRICS, PREFIX, Kind
from addon.runtime.metrics.responses import HIT
from cache.policy.reasons import NotStored
from tests.deploy.files import DEPLOY

ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "secondhand.json").read_text())

_SERIES = re.compile(rf"{PREFIX}([a-z0-9_]+)(?:\{{([^}}]*)\}})?")
_LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
_OF_TARGETS = {"job", "instance", "le"}
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


def expressions() -> Iterator[str]:
    for rule in ALERTS["groups"][0]["rules"]:
        yield rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def described(name: str) -> tuple[Kind, tuple[str, ...]]:
    """Return kind and labels of the metric that a series belongs to."""
    short = re.sub(r"_(bucket|sum|count)$", "", name)
    metric = METRICS.get(name) or METRICS[short]
    assert (metric.kind is Kind.HISTOGRAM) == (short != name)
    return metric.kind, metric.labels


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    found = _SERIES.findall(expression)
    assert found or "secondhand:" in expression or expression.startswith("up")
    known = set(_OF_TARGETS)
    for name, selector in found:
        kind, labels = described(name)
        known |= set(labels)
        assert set(_LABEL.findall(selector)) <= {*labels, *_OF_TARGETS}
        if kind is Kind.COUNTER and "label_values" not in expression:
            assert re.search(rf"rate\({PREFIX}{name}\b", expression)
    for grouping in _GROUPING.findall(expression):
        assert {each.strip() for each in grouping.split(",")} <= known | {"site"}


def test_the_alerts_say_what_is_wrong() -> None:
    alerts = [rule for rule in ALERTS["groups"][0]["rules"] if "alert" in rule]
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert alert["for"]


def test_reasons_and_decisions_in_texts_exist() -> None:
    assert {"set-cookie", "no-store", "private", "store-failed"} <= set(map(str, NotStored))
    assert HIT == "hit"


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
