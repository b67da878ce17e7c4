"""The settings as they are shown: nothing that is a secret is among them."""

from __future__ import annotations

import json

from addon.config.settings import Settings
from addon.config.shown_settings import shown_settings

SETTINGS = {
    "origin": {"proxy": "http://user:password@proxy.example:3128"},
    "annotate": [{"host": "a.example", "set": {"X-Key": "annotated-secret"}, "append": {"X-Other": "other-secret"}}],
    "site": [
        {
            "hosts": ["a.example"],
            "origins": ["http://127.0.0.1:8000"],
            "health": {"path": "/up?key=health-secret"},
            "rules": [
                {"path": "/img/a?.png", "request_fields": {"set": {"Authorization": "Bearer origin-secret"}}},
                {"path": "/old", "response_fields": {"set": {"X-Key": "response-secret"}}},
            ],
        }
    ],
}


def test_values_of_fields_and_credentials_in_urls_are_hidden() -> None:
    shown = shown_settings(Settings.model_validate(SETTINGS))
    text = json.dumps(shown)
    assert "secret" not in text
    assert "password" not in text
    assert json.loads(text)["origin"]["proxy"] == "http://proxy.example:3128"


def test_everything_else_is_shown() -> None:
    shown = json.loads(json.dumps(shown_settings(Settings.model_validate(SETTINGS))))
    (site,) = shown["site"]
    assert site["health"]["path"] == "/up?[hidden]"
    assert site["rules"][0]["path"] == ["/img/a?.png"]
    assert site["rules"][0]["request_fields"]["set"] == {"Authorization": "[hidden]"}
    assert shown["annotate"][0]["append"] == {"X-Other": "[hidden]"}
    assert shown.keys() == Settings().model_dump().keys()
