# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused as invalid YAML is invalid for PyYAML too; what people get wrong is found."""

from __future__ import annotations

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
