# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused as invalid YAML is invalid for PyYAML too; what people get wrong is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, List

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_check import check_yaml
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_lines import YamlError

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("roles", "playbooks", "molecule", "meta", "tests/unit/data")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".yml", ".yaml"))
TEXTS = [path.read_text() for path in FILES]
SHORT = [text for text in TEXTS if len(text) < 3000]
MARKS = st.sampled_from(list("\n\n\t :-#\"'[]{}|>&*!,a0\\ %@`?"))
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=30)
CONTENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner))


# What people write as a value without quotes, and more of the same kind.
VALUES = (
    "b: c",
    "b:",
    "@y",
    "`y",
    "%y",
    "]",
    "}",
    ", y",
    "- a",
    "-",
    "? a",
    "*undefined",
    '"a\\qb"',
    '"a\\x4"',
    "|y",
    '"a": b',
)
VALUES += ('"a" b', "'a':b", "[a] b", '["a\\q"]', "{a: 1}}", "&x b: c", "b: c # d", "> y", "*", '"a', "[a", "|1x")
GOOD = (
    "b:c",
    "b #: c",
    "a-b",
    "-b",
    "?b",
    "::b",
    '"a\\x41\\u00e9\\/"',
    "&x b",
    "!!str b",
    "",
    "# c",
    "a@b",
    "http://b",
    "~",
)
RECORDED = sorted((ROOT / "tests/unit/data/mtu-kubernetes").rglob("*.y*ml"))


def is_valid(text: str) -> bool:
    try:
        list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return False
    return True


def is_refused(text: str) -> bool:
    try:
        check_yaml(text)
    except YamlError:
        return True
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_real_files_pass(path: Path) -> None:
    text = path.read_text()
    assert is_refused(text) is not is_valid(text)


@example([{",\n": None}], None, 2, 10, False)
@example({"": None, "\xa0": None}, False, 2, 10, True)
@given(CONTENTS, st.booleans() | st.none(), st.integers(2, 6), st.integers(10, 100), st.booleans())
def test_what_pyyaml_writes_passes(content: Any, flow: Any, indent: int, width: int, unicode: bool) -> None:
    text = yaml.safe_dump(content, default_flow_style=flow, indent=indent, width=width, allow_unicode=unicode)
    check_yaml(text)


@settings(max_examples=400)
@given(st.sampled_from(SHORT), st.lists(st.tuples(st.integers(0, 3000), MARKS | st.none()), min_size=1, max_size=3))
def test_what_is_refused_is_invalid(text: str, edits: List[Any]) -> None:
    for place, mark in edits:
        at = place % (len(text) + 1)
        text = text[:at] + mark + text[at:] if mark else text[:at] + text[at + 1 :]
    if is_refused(text):
        assert not is_valid(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("network:\n\tmtu: 1450\n", 2),
        ('network:\n  plugin: "canal\n', 2),
        ("nodes: [{address: 192.0.2.11}\nnetwork:\n  mtu: 1\n", 1),
        ("nodes: [a}]\n", 1),
        ("network:\n    plugin: canal\n  mtu: 1450\n", 3),
        ("network:\n  plugin: canal\n    mtu: 1450\n", 3),
        ("network:\n  mtu: 1450\nplugin canal\n", 3),
        ("nodes:\n  - address: a\n - address: b\n", 3),
        ("name: 'a' b\n", 1),
    ],
)
def test_what_people_get_wrong(text: str, line: int) -> None:
    assert not is_valid(text)
    with pytest.raises(YamlError, match=f"^line {line}: "):
        check_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c\n",
        "x: @y\n",
        "x: %y\n",
        "a: 1\n- b\n",
        "- b\na: 1\n",
        "x:\n  a: 1\n  - b\n",
        "x:\n  - a\n  b: 1\n",
        "x:\n  a: 1\n- b\n",
        "x: y\n- b\n",
        "x:\n  y\n- b\n",
        "x: - a\n",
        'x: "a\\qb"\n',
        'x:\n- "a\\qb"\n',
        '"a\\qb": x\n',
        'x: [1,\n  "a\\qb"]\n',
        "x: *undefined\n",
        "- *undefined\n",
        "x: *later\ny: &later 1\n",
        "x: ]\n",
        "x:\n  ]\n",
        "x:\n  @y\n",
        "- @y\n",
        "- a: b: c\n",
        "network:\n  plugin: canal\n  mtu:1450\n",
        "nodes:\n  - address: a\n  plugin canal\n",
        "nodes:\n- address: a\nmtu\n",
        "x: |y\n",
    ],
)
def test_every_one_of_these_is_refused(text: str) -> None:
    assert not is_valid(text)
    assert is_refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "a:\n- b\nc: 1\n",
        "a:\n- b\n- c: 1\n  d:\n  - e\n  f: 2\n",
        "a: # comment\n- b\n",
        "a: &x\n- b\nc: *x\n",
        "a: &x 1\nb: *x\nc: [*x]\n",
        "a: b\n  c\n  d\ne: 1\n",
        "a:\n- b\n  c\n- d\n",
        'a: "b\n  c"\nd: 1\n',
        "a: [b,\n  c\n]\nd: 1\n",
        "a: {b: 1,\nc: 2}\n",
        "- - a\n  - b\n- c\n",
        "a: |\n  b: c: d\n  @\ne: 1\n",
        'a: "b\\\n  c"\n',
    ],
)
def test_every_one_of_these_passes(text: str) -> None:
    assert is_valid(text)
    assert not is_refused(text)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: str(path.relative_to(ROOT)))
def test_with_any_one_value_replaced_it_is_refused_where_pyyaml_does(path: Path) -> None:
    lines = path.read_text().split("\n")
    places = [number for number, line in enumerate(lines) if re.match(r"[ -]*[\w.]+: \w[^\[\]{}|>\"']*\Z", line)]
    for number in places[:6]:
        head = lines[number].partition(": ")[0]
        for value in (*VALUES, *GOOD):
            text = "\n".join([*lines[:number], f"{head}: {value}", *lines[number + 1 :]])
            assert is_refused(text) is not is_valid(text), (head, value)
