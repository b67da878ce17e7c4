"""Replacing values in JSON by the names of their members, without other changes to the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.pipeline.json_scrubbing import may_contain, replace_values

NAMES = frozenset({"token", "a/b", 'q"q'})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"token": "s3cr3t"}', '{"token": "scrubbed"}'),
        ('{"TOKEN" :\n["s3cr3t", {"x": "]}"}] , "n": 1.50}', '{"TOKEN" :\n"scrubbed" , "n": 1.50}'),
        ('[{"a": {"token": -1e5}}, {"token":null}]', '[{"a": {"token": "scrubbed"}}, {"token":"scrubbed"}]'),
        ('{"t\\u006fken": {"token": "s3cr3t"}, "b": "é"}', '{"t\\u006fken": "scrubbed", "b": "é"}'),
        ('{"a\\/b": true, "q\\"q": 1}', '{"a\\/b": "scrubbed", "q\\"q": "scrubbed"}'),
        # parsers differ in which of them they use
        ('{"token": "s3cr3t", "token": "too"}', '{"token": "scrubbed", "token": "scrubbed"}'),
        ('{"token": {}, "x": "\\\\"}', '{"token": "scrubbed", "x": "\\\\"}'),
    ],
)
def test_the_value_is_replaced_and_the_rest_is_unchanged(text: str, expected: str) -> None:
    assert may_contain(text, NAMES)
    scrubbed, count = replace_values(text, NAMES)
    assert scrubbed == expected
    assert count == expected.count("scrubbed")


@pytest.mark.parametrize(
    "text", ['"token"', '["token", ":"]', '{"x": "\\"token\\": 1"}', '{"tokens": 1}', "1" * 5000, "1e999"]
)
def test_text_without_such_a_member_is_unchanged(text: str) -> None:
    assert replace_values(text, NAMES) == (text, 0)


@pytest.mark.parametrize("text", ["", '{"token": ', "{token: 1}", '{"token": 1}{"token": 2}', "[" * 100_000])
def test_invalid_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        replace_values(text, NAMES)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["token", "x"]) | st.text(), inner),
)


@given(VALUES, st.booleans())
def test_scrubbing_text_equals_scrubbing_the_parsed_value(value: object, ascii_only: bool) -> None:
    def scrubbed(each: object) -> object:
        if isinstance(each, list):
            return [scrubbed(inner) for inner in each]
        if isinstance(each, dict):
            return {name: "scrubbed" if name.lower() in NAMES else scrubbed(inner) for name, inner in each.items()}
        return each

    text = json.dumps(value, ensure_ascii=ascii_only)
    result, count = replace_values(text, NAMES)
    assert json.loads(result) == scrubbed(value)
    assert may_contain(text, NAMES) or (result, count) == (text, 0)
