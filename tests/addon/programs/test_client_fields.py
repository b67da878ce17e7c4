"""The request fields of known clients, for `why --as`."""

from __future__ import annotations

import pytest

from addon.programs.client_fields import KnownClient, with_fields_of
from cache.http.messages import Fields
from cache.rules.key import request_for


@pytest.mark.parametrize("client", KnownClient)
def test_a_field_of_the_user_takes_the_place_of_that_of_the_client(client: KnownClient) -> None:
    request = with_fields_of(client, request_for("https://a.example/", Fields((("accept", "text/x"),))))
    assert request.fields.all("accept") == ("text/x",)
    assert "user-agent" in request.fields


def test_pip_asks_in_another_way_for_an_index_and_for_a_file() -> None:
    index = with_fields_of(KnownClient.PIP, request_for("https://a.example/simple/six/"))
    file = with_fields_of(KnownClient.PIP, request_for("https://a.example/six.whl?x=/"))
    assert index.fields.get("cache-control") == "max-age=0"
    assert (file.fields.get("cache-control"), file.fields.get("accept-encoding")) == (None, "identity")
