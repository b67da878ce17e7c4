"""Sizes and times that people write, and their text."""

import pytest

from addon.config.units import parse_size, parse_time, size_text, time_text


@pytest.mark.parametrize(
    ("text", "number"),
    [("2 GiB", 2**31), ("2GiB", 2**31), ("500 MB", 500_000_000), ("1.5 kib", 1536), ("7", 7), ("7 B", 7), (7, 7)],
)
def test_sizes(text: object, number: int) -> None:
    assert parse_size(text) == number


@pytest.mark.parametrize("text", ["lots", "", "-1", -1, 1.5, True, "1 GiBs", "GiB", [], float("nan")])
def test_invalid_sizes(text: object) -> None:
    with pytest.raises(ValueError, match="a size like"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("24h", 86_400), ("5 min", 300), ("5m", 300), ("1.5 s", 1.5), ("250 ms", 0.25), ("2 Days", 172_800), (3.5, 3.5)],
)
def test_times(text: object, number: float) -> None:
    assert parse_time(text) == number


@pytest.mark.parametrize("text", ["soon", "", -1, True, "5 fortnights", float("inf"), float("nan"), {}])
def test_invalid_times(text: object) -> None:
    with pytest.raises(ValueError, match="a time like"):
        parse_time(text)


def test_sizes_and_times_as_text() -> None:
    assert [size_text(number) for number in (0, 1023, 1536, 2**31)] == ["0 B", "1023 B", "1.5 KiB", "2 GiB"]
    assert [time_text(number) for number in (0, 59.9, 200, 3600, 187_200)] == ["0s", "59s", "3m 20s", "1h", "2d 4h"]
