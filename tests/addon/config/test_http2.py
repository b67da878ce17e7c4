"""The table `[http2]`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from addon.config.http2 import Http2Settings


def test_sizes_may_have_units() -> None:
    settings = Http2Settings.model_validate({"stream_window": "1 MiB", "connection_window": "2 MiB"})
    assert (settings.stream_window, settings.connection_window) == (2**20, 2**21)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("streams", 0),
        ("continuation_frames", 0),
        ("resets", 0),
        ("control_frames", 1),
        ("connection_window", 1000),
        ("stream_window", "3 GiB"),
    ],
)
def test_a_value_that_no_client_could_live_with_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Http2Settings.model_validate({name: value})
