# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML in a block of YAML: PyYAML reads what was asked for, no other line changes, the second time none does."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_block import (
    documents,
    key_at,
    set_in_block,
    string_in_block,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_edit import get_string, set_literal
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_lines import YamlError

BLOCK = ("spec", "valuesContent")
NAMES = st.sampled_from(["flannel", "calico", "mtu", "vethuMTU", "MTU", "x-y", "a.b"])
WORDS = st.sampled_from(["true", "1450", '"quoted # no comment"', "'it''s'", "eth1", "10.42.0.0/16"])
COMMENTS = st.sampled_from(["", "  # by hand", " # vethuMTU: 9000"])
NOISE = st.sampled_from(["", "   ", "# a comment", "# mtu: 1"])
VALUES = st.recursive(
    WORDS | st.lists(WORDS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def written(draw: st.DrawFn, tree: Dict[str, Any], indent: int) -> List[str]:
    """Write a tree as a person does: any step, comments, empty lines."""
    lines: List[str] = []
    for name, value in tree.items():
        noise = draw(NOISE)
        lines.append(" " * indent + noise if noise.strip() else noise)
        head = " " * indent + draw(st.sampled_from([name, f'"{name}"']))
        if isinstance(value, dict):
            lines.append(f"{head}:{draw(COMMENTS)}")
            lines += draw(written(value, indent + draw(st.integers(1, 4))))
        elif isinstance(value, list):
            lines.append(f"{head}:{draw(COMMENTS)}")
            deeper = indent + draw(st.integers(0, 2))
            lines += [" " * deeper + f"- {item}{draw(COMMENTS)}" for item in value]
        else:
            lines.append(f"{head}: {value}{draw(COMMENTS)}")
    return lines


@st.composite
def manifests(draw: st.DrawFn) -> Tuple[str, int]:
    """Write a file whose second document has the block; give it with the number of that document."""
    outer = draw(st.integers(1, 4))
    inner = outer + draw(st.integers(1, 4))
    header = draw(st.sampled_from(["|", "|-", "|+", f"|{inner - outer}", f"|{inner - outer}-"]))
    body = draw(written(draw(TREES), inner))
    # Without an indicator the first line tells how far the block is indented.
    body = body if header[1:2].isdigit() else [line for line in body if line.strip()]
    lines = [
        "# the first",
        "kind: Namespace",
        draw(st.sampled_from(["---", "--- # next"])),
        "kind: HelmChartConfig",
        "spec:",
        " " * outer + f"valuesContent: {header}{draw(COMMENTS)}",
        *body,
        *draw(st.lists(st.sampled_from(["", " " * outer + "failurePolicy: abort"]), max_size=1)),
        *draw(
            st.sampled_from([[], ["---", "kind: Other", "spec:", "    valuesContent: |", "        MTU: 7"], ["..."]])
        ),
        *draw(st.sampled_from([[], [""]])),
    ]
    return "\n".join(lines), 1


def values(text: str, number: int) -> Any:
    content = list(yaml.safe_load_all(text))[number]
    return yaml.safe_load(content["spec"]["valuesContent"] or "") or {}


def with_value(tree: Any, path: Tuple[str, ...], value: int) -> Any:
    inner = tree.get(path[0]) if isinstance(tree, dict) else None
    return {**(tree or {}), path[0]: value if len(path) == 1 else with_value(inner, path[1:], value)}


def changed_lines(before: List[str], after: List[str]) -> Optional[int]:
    """Return how many lines are new or changed, None where a line is gone or others differ than at one place."""
    same = next((at for at, pair in enumerate(zip(before, after)) if pair[0] != pair[1]), min(len(before), len(after)))
    added = len(after) - len(before)
    for replaced in (0, 1):
        if added + replaced >= 0 and before[same + replaced :] == after[same + replaced + added :]:
            return added + replaced
    return None


@given(manifests(), PATHS, st.integers(68, 65535))
def test_one_value_is_set_and_nothing_else_changes(manifest: Tuple[str, int], path: Tuple[str, ...], mtu: int) -> None:
    text, number = manifest
    lines, places = documents(text)
    before = values(text, number)
    try:
        after = set_in_block(lines, places[number], BLOCK, path, str(mtu))
    except YamlError:
        # What is there is no mapping or number: a person has to look.
        inner: Any = before
        for name in path:
            assert isinstance(inner, dict) and name in inner
            inner = inner[name]
            if not isinstance(inner, dict):
                break
        return
    joined = "\n".join(after)
    assert values(joined, number) == with_value(before, path, mtu)
    others = [content for at, content in enumerate(yaml.safe_load_all(joined)) if at != number]
    assert others == [content for at, content in enumerate(yaml.safe_load_all(text)) if at != number]
    count = changed_lines(lines, after)
    assert count is not None and count <= len(path) + 1, joined
    again, again_places = documents(joined)
    assert string_in_block(again, again_places[number], BLOCK, path) == str(mtu)
    assert set_in_block(again, again_places[number], BLOCK, path, str(mtu)) == again


@pytest.mark.parametrize("spec", ["", "spec:\n", "spec: {}\n", 'spec:\n  valuesContent: ""\n', "spec:\n  other: 1\n"])
def test_a_block_that_is_missing_is_made(spec: str) -> None:
    text = f"kind: HelmChartConfig\n{spec}"
    lines, places = documents(text)
    after = "\n".join(set_in_block(lines, places[0], BLOCK, ("flannel", "mtu"), "1450"))
    assert values(after, 0) == {"flannel": {"mtu": 1450}}
    assert after.endswith("  valuesContent: |-\n    flannel:\n      mtu: 1450\n")


def test_a_last_line_without_an_end_gets_one() -> None:
    lines, places = documents("spec:\n  valuesContent: |\n    flannel:\n      iface: eth1")
    after = "\n".join(set_in_block(lines, places[0], BLOCK, ("flannel", "mtu"), "1450"))
    assert after == "spec:\n  valuesContent: |\n    flannel:\n      iface: eth1\n      mtu: 1450\n"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (">\n    flannel: {}", "not written as a block after '|'"),
        ('"flannel: {}"', "not written as a block after '|'"),
        ("|\n    - a", "expected a key"),
        ("|\n    flannel: {iface: eth1}", "not written as keys on lines of their own"),
        ("|\n    flannel:\n      mtu: 1\n    flannel:\n      mtu: 2", "there a second time"),
        ("|\n    flannel:\n\t  mtu: 1", "tabs"),
    ],
)
def test_other_ways_of_writing_it_are_refused_with_the_line(value: str, said: str) -> None:
    with pytest.raises(YamlError, match=r"line \d") as refused:
        lines, places = documents(f"spec:\n  valuesContent: {value}\n")
        set_in_block(lines, places[0], BLOCK, ("flannel", "mtu"), "1450")
    assert said in str(refused.value)


def test_a_document_may_not_begin_in_the_line_of_its_marker() -> None:
    with pytest.raises(YamlError, match="line 2: content in the line"):
        documents("a: 1\n--- {b: 2}\n")


def test_a_key_is_found_whatever_its_value_is() -> None:
    lines, places = documents("spec:\n  valuesContent: >-\n    text\n  values: {a: 1}\n")
    assert [key_at(lines, places[0], ("spec", name)) is not None for name in ("valuesContent", "values", "x")] == [
        True,
        True,
        False,
    ]


def test_a_number_is_set_without_quotes() -> None:
    text = "network:\n  mtu: 0  # automatic\n"
    assert set_literal(text, ("network", "mtu"), "1450") == "network:\n  mtu: 1450  # automatic\n"
    assert get_string(text, ("network", "mtu")) == "0"
