"""Values taken out of JSON by the names of their members, and nothing else of the text touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.pipeline.json_scrubbing import may_contain, without_values

NAMES = frozenset({"token", "a/b", 'q"q'})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"token": "s3cr3t"}', '{"token": "scrubbed"}'),
        ('{"TOKEN" :\n["s3cr3t", {"x": "]}"}] , "n": 1.50}', '{"TOKEN" :\n"scrubbed" , "n": 1.50}'),
        ('[{"a": {"token": -1e5}}, {"token":null}]', '[{"a": {"token": "scrubbed"}}, {"token":"scrubbed"}]'),
        ('{"t\\u006fken": {"token": "s3cr3t"}, "b": "é"}', '{"t\\u006fken": "scrubbed", "b": "é"}'),
        ('{"a\\/b": true, "q\\"q": 1}', '{"a\\/b": "scrubbed", "q\\"q": "scrubbed"}'),
        # a reader keeps one of them, and nobody knows which
        ('{"token": "s3cr3t", "token": "too"}', '{"token": "scrubbed", "token": "scrubbed"}'),
        ('{"token": {}, "x": "\\\\"}', '{"token": "scrubbed", "x": "\\\\"}'),
    ],
)
def test_a_value_goes_and_the_rest_stays_as_it_was_written(text: str, left: str) -> None:
    assert may_contain(text, NAMES)
    scrubbed, count = without_values(text, NAMES)
    assert scrubbed == left
    assert count == left.count("scrubbed")


@pytest.mark.parametrize(
    "text", ['"token"', '["token", ":"]', '{"x": "\\"token\\": 1"}', '{"tokens": 1}', "1" * 5000, "1e999"]
)
def test_what_is_no_name_of_a_member_is_left_alone(text: str) -> None:
    assert without_values(text, NAMES) == (text, 0)


@pytest.mark.parametrize("text", ["", '{"token": ', "{token: 1}", '{"token": 1}{"token": 2}', "[" * 100_000])
def test_what_is_no_json_is_not_called_clean(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        without_values(text, NAMES)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["token", "x"]) | st.text(), inner),
)


@given(VALUES, st.booleans())
def test_what_is_left_is_what_a_reader_would_have_left(value: object, ascii_only: bool) -> None:
    def scrubbed(each: object) -> object:
        if isinstance(each, list):
            return [scrubbed(inner) for inner in each]
        if isinstance(each, dict):
            return {name: "scrubbed" if name.lower() in NAMES else scrubbed(inner) for name, inner in each.items()}
        return each

    text = json.dumps(value, ensure_ascii=ascii_only)
    left, count = without_values(text, NAMES)
    assert json.loads(left) == scrubbed(value)
    assert may_contain(text, NAMES) or (left, count) == (text, 0)
