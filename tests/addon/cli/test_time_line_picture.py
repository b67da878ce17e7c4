"""The picture of `secondhand why --svg`: what it says, and that no text of strangers becomes markup."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest

from addon.cli.time_line_picture import picture
from cache.stores.disk.store import DiskStore
from tests.fixtures.command_line import secondhand as run
from tests.fixtures.kept_copies import keep

pytestmark = pytest.mark.usefixtures("default_settings")

HOSTILE = "http://a.test/'\"><script>alert(1)</script>&amp;"
SVG = "{http://www.w3.org/2000/svg}"


def line(**changes: object) -> dict[str, object]:
    segments = [
        {"use": "fresh", "start": 0.0, "end": 60.0, "source": "max-age"},
        {"use": "while-revalidated", "start": 60.0, "end": 90.0, "source": "stale-while-revalidate"},
    ]
    return {"now": 30.0, "made_at": 0.0, "stored_at": 1.0, "segments": segments, "validate": None, **changes}


def texts(drawn: str) -> list[str]:
    return [each.text or "" for each in Tree.fromstring(drawn).iter(f"{SVG}text")]


def test_each_part_is_drawn_and_told_with_its_end_and_its_source() -> None:
    drawn = picture("http://a.test/", line())
    assert texts(drawn)[-4:] == [
        "stored 1970-01-01 00:00:01 UTC, age 30s",
        "fresh: it is sent, until 1970-01-01 00:01:00 UTC (1m, by max-age)",
        "stale: it is sent while it is validated, until 1970-01-01 00:01:30 UTC (30s more, by stale-while-revalidate)",
        "then: only after the origin has confirmed it",
    ]
    kinds = [each.get("class") for each in Tree.fromstring(drawn).iter(f"{SVG}rect")]
    assert kinds == ["fresh", "while-revalidated", "beyond"] * 2


@pytest.mark.parametrize(("now", "place"), [(30.0, 1 / 6), (60.0, 1 / 3), (75.0, 1 / 2), (1000.0, 5 / 6), (-5.0, 0.0)])
def test_the_present_is_in_its_part(now: float, place: float) -> None:
    found = re.search(r'<path d="M([0-9.]+) ', picture("http://a.test/", line(now=now)))
    assert found
    assert float(found[1]) == pytest.approx(16 + 848 * place, abs=0.1)


def test_a_copy_that_is_always_validated_says_why() -> None:
    assert texts(picture("http://a.test/", line(segments=[], validate="invalidated")))[-1] == (
        "then: only after the origin has confirmed it (invalidated)"
    )


def test_behind_a_part_without_an_end_there_is_nothing() -> None:
    fresh = {"use": "fresh", "start": 0.0, "end": 60.0, "source": "max-age"}
    endless = {"use": "without-origin", "start": 60.0, "end": None, "source": "the mode offline"}
    drawn = picture("http://a.test/", line(now=1000.0, segments=[fresh, endless]))
    assert texts(drawn)[-1] == "it is sent without the origin, however old it is (by the mode offline)"
    assert [each.get("class") for each in Tree.fromstring(drawn).iter(f"{SVG}rect")] == ["fresh", "without-origin"] * 2
    assert f'd="M{16 + 848 * 0.75:.1f} ' in drawn


def test_texts_of_strangers_are_escaped_and_nothing_is_loaded() -> None:
    hostile = [{"use": HOSTILE, "start": 0.0, "end": 60.0, "source": HOSTILE}]
    drawn = picture(HOSTILE, line(segments=hostile, validate=HOSTILE))
    names = {each.tag.removeprefix(SVG) for each in Tree.fromstring(drawn).iter()}
    assert names == {"svg", "style", "rect", "path", "text"}
    assert "<script" not in drawn
    assert not re.search(r"(href|src|url\()", drawn)


def test_why_prints_or_writes_the_picture(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 24)
    keep(store, "http://a.test/")
    store.close()
    asked = ("why", "http://a.test/", "--store", tmp_path / "store", "--svg")
    printed = run(*asked).stdout
    assert "http://a.test/" in texts(printed)
    assert run(*asked, "--out", tmp_path / "life.svg").stdout == f"written: {tmp_path / 'life.svg'}\n"
    assert texts((tmp_path / "life.svg").read_text())[0] == "http://a.test/"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--svg",), 3, "nothing is stored for http://b.test/, so there is no time line"),
        (("--out", "x.svg"), 2, "expected --svg with it"),
        (("--svg", "--json"), 2, "expected only one of --svg and --json"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_an_error(
    tmp_path: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    result = run("why", "http://b.test/", "--store", tmp_path / "store", *options)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 24)
    keep(store, "http://a.test/")
    store.close()
    target = tmp_path / "none" / "life.svg"
    result = run("why", "http://a.test/", "--store", tmp_path / "store", "--svg", "--out", target)
    assert (result.exit_code, f"{target} cannot be written: No such file" in result.stderr) == (1, True)
