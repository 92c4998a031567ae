# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with lines: the same values as the standard library's, and where each of them stands."""

from __future__ import annotations

import json
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.json_text import JsonError, JsonNode, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def plain(node: JsonNode) -> Any:
    if node.kind == "object":
        return {key: plain(value) for key, value in node.members}
    return [plain(item) for item in node.items] if node.kind == "array" else node.scalar


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_values_are_those_of_the_standard_library(value: object, indent: Optional[int]) -> None:
    text = json.dumps(value, indent=indent)
    assert plain(parse_json(text)) == value


@given(st.text(max_size=200))
def test_texts_that_the_standard_library_refuses_are_refused(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=pytest.fail)
    except (ValueError, pytest.fail.Exception):
        with pytest.raises(JsonError):
            parse_json(text)
    else:
        assert plain(parse_json(text)) == expected


def test_every_key_and_element_has_its_line_and_path() -> None:
    node = parse_json('{\n "a": {"b":\n  1},\n\n "c": [\n  2,\n  {"d": 3}\n ]\n}')
    b = node.members[0][1].members[0][1]
    first, second = node.elements("c")
    assert (b.path, b.line) == ("a.b", 2)
    assert (first.path, first.line) == ("c[0]", 6)
    assert (second.members[0][1].path, second.members[0][1].line) == ("c[1].d", 7)


def test_line_breaks_of_windows_count_once() -> None:
    node = parse_json('{\r\n"a": 1,\r\n"mtu": 2\r\n}')
    mtu = node.field("mtu")
    assert mtu is not None and mtu.line == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the text ends too early"),
        ('{"a": 1,\n}', "line 2: expected a key in double quotes"),
        ('{"a" 1}', "line 1: expected ':'"),
        ("[1\n 2]", "line 2: expected ','"),
        ("{}\n\n{}", "line 3: something follows the end of the value"),
        ("[NaN]", "line 1: NaN is no JSON"),
        ("[" * 200, "nest deeper than 100 levels"),
        ('{"a": "x\n"}', "line 1: Invalid control character"),
        ("\ufeff{}", "line 1: Expecting value"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse_json(text)
    assert message in str(caught.value)


def test_field_ignores_case_and_get_does_not() -> None:
    node = parse_json('{"MTU": 1, "mtu": 2, "Mtu": 3}')
    field, exact = node.field("mtu"), node.get("MTU")
    assert field is not None and exact is not None
    assert (field.scalar, exact.scalar) == (3, 1)
    assert node.get("mTu") is None
