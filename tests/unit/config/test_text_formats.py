# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small readers and editors of TOML, YAML, JSON and environment files, held against the real parsers."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List, Optional

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config import environment_file as env
from ansible_collections.netfit.cluster.plugins.module_utils._config.cni_tuning import (
    tuned,
    with_tuning,
    without_tuning,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.json_text import parse_json
from ansible_collections.netfit.cluster.plugins.module_utils._config.toml_lists import TomlError, toml_list
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_edit import (
    get_string,
    remove_key,
    set_string,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_lines import YamlError, top_level_lists

NAME = "crio.runtime.default_sysctls"
PATH = ("services", "kubelet", "extra_args", "allowed-unsafe-sysctls")
WORD = st.text("abz.*_-=/ 09#'\"\\[]{},:é", max_size=12)
PLAIN = st.text("abcxyz0189._-", min_size=1, max_size=8)


def toml_string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


BLANK = st.sampled_from(["", " ", "\n", " # ] \"' [x]\n", "\r\n\t"])
TOML_VALUE = st.recursive(
    st.one_of(
        st.integers().map(str),
        WORD.map(toml_string),
        st.sampled_from(["true", "1.5", "1979-05-27 07:32:00", "'[x] # '", '"""a\n[b]\nc = ["""', "'''\n[crio]\n'''"]),
    ),
    lambda inner: st.one_of(
        st.builds(lambda items, blank: f"[{blank}{f',{blank}'.join(items)}{blank}]", st.lists(inner), BLANK),
        st.builds(lambda items: "{" + ", ".join(f"k{n} = {i}" for n, i in enumerate(items)) + "}", st.lists(inner)),
    ),
    max_leaves=5,
)


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    """A document with the list somewhere between other keys and tables, or without it."""
    lines: List[str] = [f"k{n} = {value}" for n, value in enumerate(draw(st.lists(TOML_VALUE, max_size=2)))]
    place = draw(st.sampled_from(["[crio.runtime]\ndefault_sysctls", "[ crio . runtime ]\n'default_sysctls'", None]))
    place = draw(st.sampled_from([place, '[crio]\n"x" = 1\nruntime.default_sysctls', f"top = 1\n{NAME}"]))
    if place is not None:
        blank = draw(BLANK)
        items = draw(st.lists(st.one_of(WORD.map(toml_string), PLAIN.map(lambda word: f"'{word}'"))))
        comma = "," if items and draw(st.booleans()) else ""
        lines.append(f"{place} = [{blank}{f',{blank}'.join(items)}{comma}{blank}] # default_sysctls = []")
    lines += [f"l{n} = {value}" for n, value in enumerate(draw(st.lists(TOML_VALUE, max_size=2)))]
    lines += ["[other]", *(f"m{n} = {value}" for n, value in enumerate(draw(st.lists(TOML_VALUE, max_size=2))))]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n# end"]))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@given(toml_documents())
def test_toml_list_is_what_a_real_parser_finds(text: str) -> None:
    import tomllib

    parsed: Dict[str, Any] = tomllib.loads(text.replace("\r\n", "\n"))
    expected: Optional[List[str]] = parsed.get("crio", {}).get("runtime", {}).get("default_sysctls")
    found = toml_list(text, NAME)
    assert (list(found.values) if found else None) == expected


@pytest.mark.parametrize(
    ("text", "values", "line", "append"),
    [
        ("[containers]\nx = 1\ndefault_sysctls=[]", (), 3, None),
        ('[containers]\ndefault_sysctls = ["a=1", {append=true}]', ("a=1",), 2, True),
        ("[containers]\ndefault_sysctls = [\n{append = false},'a=1'\n]", ("a=1",), 2, False),
        ('[containers]\ndefault_sysctls = ["a\\u003d\\"1\\""]', ('a="1"',), 2, None),
    ],
)
def test_toml_list_with_its_line_and_attribute(text: str, values: Any, line: int, append: Optional[bool]) -> None:
    found = toml_list(text, "containers.default_sysctls")
    assert found is not None
    assert (found.values, found.line, found.append) == (values, line, append)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[containers]\ndefault_sysctls = "a=1"', "line 2: expected a list in brackets"),
        ("[containers]\n\ndefault_sysctls = [1]", "line 3: expected a string in quotes"),
        ('[containers]\ndefault_sysctls = ["a=1" "b=2"]', "line 2: expected ',' or ']'"),
        ('[containers]\ndefault_sysctls = ["a=1"', "line 2: expected ',' or ']'"),
        ("[containers]\nx = \ndefault_sysctls = []", "line 2: expected a value"),
        ("[containers\nx = 1", "line 1: expected a table's name in brackets"),
        ("<<<<<<< HEAD\n[containers]", "line 1: expected a key"),
    ],
)
def test_toml_that_cannot_be_understood_says_where(text: str, message: str) -> None:
    with pytest.raises(TomlError, match=message.replace("[", r"\[")):
        toml_list(text, "containers.default_sysctls")


YAML_ITEM = st.one_of(
    PLAIN.filter(lambda word: word[0] not in "-." and isinstance(yaml.safe_load(word), str)),
    WORD.map(lambda word: json.dumps(word).replace("\\u00e9", "é")),
    WORD.map(lambda word: "'" + word.replace("'", "''") + "'"),
)
COMMENT = st.sampled_from(["", "  # a: b", " # ['"])


@st.composite
def yaml_documents(draw: st.DrawFn) -> str:
    items = draw(st.lists(YAML_ITEM, max_size=4))
    form = draw(st.integers(0, 3))
    key = draw(st.sampled_from(["kubelet-arg:", '"kubelet-arg":', "kubelet-arg :"]))
    comment = draw(COMMENT)
    if form == 0 or not items:
        lines = [f"{key} [{', '.join(items)}]{comment}"]
    elif form == 1:
        lines = [f"{key} {items[0]}{comment}"]
    else:
        indent = " " * draw(st.sampled_from([0, 2, 4]))
        lines = [f"{key}{comment}", *(f"{indent}-  {item}{comment}" for item in items)]
    before = draw(
        st.lists(
            st.sampled_from(["a: 1", "# kubelet-arg: []", "", "b: |\n  kubelet-arg: [x]", "c:\n- d: 1\n  e: 2"]),
            unique=True,
        )
    )
    after = draw(st.lists(st.sampled_from(["f: {g: 1}", "  # x", "h:\n    kubelet-arg:\n    - x"]), unique=True))
    return "\n".join([*draw(st.sampled_from([[], ["---"], ["# x", "--- # y"]])), *before, *lines, *after, ""])


@given(yaml_documents())
def test_yaml_strings_are_what_a_real_parser_finds(text: str) -> None:
    value = yaml.safe_load(text)["kubelet-arg"]
    expected = [] if value is None else value if isinstance(value, list) else [value]
    assert [found for _key, found in top_level_lists(text, ["kubelet-arg"])] == [expected]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kubelet-arg: *common", "line 1: .* no simple string"),
        ("a: 1\nkubelet-arg: [a,\n  b]", "line 2: .*goes on in the next line"),
        ("kubelet-arg:\n- a: 1", "line 2: .* no simple string"),
        ("kubelet-arg:\n- - a", "line 2: "),
        ("kubelet-arg: >\n  a", "line 1: .*goes on in the next line"),
        ("a: 1\n---\nkubelet-arg: []", "line 2: a second document begins"),
        ("a:\n\t- b", "line 2: it is indented with tabs"),
        ("{kubelet-arg: [a]}", "line 1: expected a key"),
        ("- kubelet-arg: a", "line 1: expected a key"),
    ],
)
def test_yaml_that_cannot_be_understood_says_where(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        top_level_lists(text, ["kubelet-arg"])


CLUSTERS = st.sampled_from(
    [
        "",
        "nodes: []\n",
        "services:\n",
        "services: {}  # none\n",
        "services:\n  etcd:\n    image: a\n# end",
        "services:\n  kubelet:\n    image: ''\n  etcd: {}\n",
        "services:\r\n  kubelet:\r\n    extra_args: {}\r\n",
        "services:\n    kubelet:\n        extra_args:\n            max-pods: 250 # x\n\n"
        "        # y\n        fail_swap_on: false\nz: 1\n",
        "services:\n kubelet: # k\n  extra_args: ~ # e\n",
        "services:\n  kubelet:\n    extra_args:\n      allowed-unsafe-sysctls: 'a,b' # c\n      v: 2",
        "services:\n  kubelet:\n    extra_args: {}\naddons: |-\n  ---\n  services:\n    kubelet:\n  - x\n",
    ]
)


def put(tree: Dict[str, Any], value: Optional[str]) -> Dict[str, Any]:
    """Return the tree with the value where it belongs, as set_string has it."""
    node = tree
    for name in PATH[:-1]:
        node[name] = dict(node.get(name) or {})
        node = node[name]
    node[PATH[-1]] = value
    return tree


@given(CLUSTERS, st.text("abc.,*_-", min_size=1))
def test_setting_a_yaml_string_changes_it_and_nothing_else(text: str, value: str) -> None:
    edited = set_string(text, PATH, value)
    assert yaml.safe_load(edited) == put(yaml.safe_load(text) or {}, value)
    assert get_string(edited, PATH) == value
    assert set_string(edited, PATH, value) == edited
    kept = [line for line in edited.split("\n") if line in text.split("\n")]
    assert len(kept) >= len(text.rstrip("\n").split("\n")) - 1
    assert [part for part in text.split() if part.startswith("#")] == [w for w in edited.split() if w.startswith("#")]


@given(CLUSTERS)
def test_removing_a_yaml_key_leaves_everything_else(text: str) -> None:
    removed = remove_key(set_string(text, PATH, "x"), PATH)
    assert get_string(removed, PATH) is None
    tree = yaml.safe_load(removed)
    assert put(tree, "x") == put(yaml.safe_load(text) or {}, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {kubelet: {image: a}}", "line 1: 'services' is not written as keys on lines of their own"),
        ("services:\n  kubelet:\n    extra_args: {v: 2}", "line 3: 'extra_args' is not written as keys"),
        ("services: &a\n  kubelet:\n", "line 1: 'services' is not written as keys"),
        ("services:\n- kubelet", "line 1: what follows 'services' is not as expected"),
        ("services: {}\nservices: {}", "line 2: 'services' is there a second time"),
        ("services:\n  kubelet:\n   extra_args:\n  - x", "line 2: what follows 'kubelet' is not as expected"),
    ],
)
def test_yaml_that_cannot_be_edited_by_lines_says_where(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        set_string(text, PATH, "x")


SYSCTLS = st.dictionaries(
    st.sampled_from(["net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies"]),
    st.sampled_from(["1", "4096", "4096 131072 6291456"]),
)
STYLES: List[Dict[str, Any]] = [{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}]


@st.composite
def conflists(draw: st.DrawFn) -> str:
    tuning: Dict[str, Any] = draw(
        st.fixed_dictionaries({"type": st.just("tuning")}, optional={"sysctl": SYSCTLS, "mtu": st.just(1)})
    )
    chain = [{"type": "bridge", "ipam": {"x": ["{", '"', "]"]}}, *([tuning] if draw(st.booleans()) else [])]
    return json.dumps({"name": "a", "plugins": draw(st.permutations(chain)), "z": 1}, **draw(st.sampled_from(STYLES)))


def plain(text: str) -> Dict[str, Any]:
    """Return a conflist without its plugins "tuning" that do nothing else than sysctls."""
    tree: Dict[str, Any] = json.loads(text)
    for plugin in tree["plugins"]:
        if plugin["type"] == "tuning":
            plugin.pop("sysctl", None)
    tree["plugins"] = [plugin for plugin in tree["plugins"] if plugin != {"type": "tuning"}]
    return tree


@given(conflists(), SYSCTLS)
def test_tuning_gets_the_sysctls_and_keeps_everything_else(text: str, sysctls: Dict[str, str]) -> None:
    before = tuned(parse_json(text))
    edited = with_tuning(text, sysctls)
    assert tuned(parse_json(edited)) == {**before, **sysctls}
    assert plain(edited) == plain(text)
    assert with_tuning(edited, sysctls) == edited
    removed = without_tuning(edited, sysctls)
    assert tuned(parse_json(removed)) == {key: value for key, value in before.items() if key not in sysctls}
    assert plain(removed) == plain(text)


@given(conflists().filter(lambda text: "tuning" not in text), SYSCTLS)
def test_tuning_that_is_taken_back_leaves_the_text_as_it_was(text: str, sysctls: Dict[str, str]) -> None:
    assert without_tuning(with_tuning(text, sysctls), sysctls) == text


def test_tuning_keeps_a_value_that_somebody_else_has_set() -> None:
    text = '{"plugins": [{"type": "tuning", "sysctl": {"net.core.somaxconn": "9"}}]}'
    assert without_tuning(text, {"net.core.somaxconn": "4096"}) == text


def test_vectors_are_written_as_the_kernel_shows_them_so_that_check_finds_them_equal() -> None:
    text = with_tuning('{"plugins": [{"type": "bridge"}]}', {"net.ipv4.tcp_rmem": "1 2 3"})
    assert json.loads(text)["plugins"][1] == {"type": "tuning", "sysctl": {"net.ipv4.tcp_rmem": "1\t2\t3"}}


ARGUMENTS = st.lists(st.sampled_from(["--v=2", "--node-ip 192.0.2.1", "--x", "--flag=a,b", "--flag c"])).map(" ".join)


@given(ARGUMENTS, st.one_of(st.none(), st.just("d,e")))
def test_a_flag_is_given_once_and_the_others_stay(arguments: str, value: Optional[str]) -> None:
    edited = env.with_flag(arguments, "--flag", value)
    assert env.flag_values(edited, "--flag") == ([value] if value else [])
    others = [word for word in arguments.split() if word in ("--v=2", "--node-ip", "192.0.2.1", "--x")]
    assert [word for word in edited.split() if word != f"--flag={value}"] == others


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 'ARGS="--a b"\n'),
        ("X=1", 'X=1\nARGS="--a b"\n'),
        ("# ARGS=1\n; ARGS=2\n", '# ARGS=1\n; ARGS=2\nARGS="--a b"\n'),
        ("ARGS=\nX=1\n", 'ARGS="--a b"\nX=1\n'),
        ("ARGS=--c d\r\n", "ARGS=--a b\r\n"),
        ("ARGS=1\nARGS='2' \n", "ARGS=1\nARGS='--a b' \n"),
    ],
)
def test_setting_a_variable(text: str, expected: str) -> None:
    assert env.set_variable(text, "ARGS", "--a b") == expected
    found = env.read_variable(expected, "ARGS")
    assert found is not None
    assert found.value == "--a b"


@pytest.mark.parametrize("text", ["ARGS=a \\\n  b\n", 'ARGS="a \\"b\\""\n', "ARGS=--x='a b'\n"])
def test_a_variable_that_cannot_be_understood_is_not_touched(text: str) -> None:
    with pytest.raises(env.EnvironmentFileError, match="line 1: "):
        env.set_variable(text, "ARGS", "x")
