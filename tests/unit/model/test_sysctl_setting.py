# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a kernel parameter."""

from __future__ import annotations

from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_setting import (
    Operator,
    Setting,
    parse_kernel,
    parse_settings,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_value import SysctlValue

parse = SysctlValue.parse
SOMAXCONN = "net.core.somaxconn"
NUMBERS = st.integers(0, 2**31 - 1)


def one(value: Any, key: str = SOMAXCONN) -> Setting:
    (setting,) = parse_settings({key: value})
    return setting


@pytest.mark.parametrize(
    ("value", "operator", "text"),
    [
        (4096, Operator.AT_LEAST, "4096"),
        ("4096", Operator.AT_LEAST, "4096"),
        ([1, 2, 3], Operator.AT_LEAST, "1 2 3"),
        ("bbr", Operator.EXACT, "bbr"),
        ({"exact": 0}, Operator.EXACT, "0"),
        ({"at_most": 300, "reason": "why\n so"}, Operator.AT_MOST, "300"),
        ({"at_least": "0x10"}, Operator.AT_LEAST, "0x10"),
    ],
)
def test_what_a_value_means(value: Any, operator: Operator, text: str) -> None:
    setting = one(value)
    assert setting.value is not None
    assert (setting.operator, setting.value.text) == (operator, text)
    assert "\n" not in setting.reason


def test_absent_has_no_value() -> None:
    assert one({"absent": True}) == Setting(SOMAXCONN, Operator.ABSENT)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({SOMAXCONN: {"at_least": 1, "exact": 2}}, "exactly one of .*, not at_least and exact"),
        ({SOMAXCONN: {}}, "exactly one of .*, not none"),
        ({SOMAXCONN: {"atleast": 1}}, "atleast is not known; there are at_least, at_most"),
        ({SOMAXCONN: {"absent": False}}, "absent is False; it takes true only"),
        ({SOMAXCONN: True}, "a boolean is no value"),
        ({SOMAXCONN: ""}, "empty value"),
        ({SOMAXCONN: None}, "settings: net.core.somaxconn is None"),
        ({SOMAXCONN: {"at_least": "many"}}, "'many' is no number, so it can only be exact"),
        ({SOMAXCONN: {"at_least": 1, "scope": "pod"}}, "scope is 'pod'; it takes host, namespace, both"),
        ({SOMAXCONN: {"at_least": 1, "since": "soon"}}, "since is 'soon'; it takes a kernel version"),
        ({SOMAXCONN: {"at_least": 2**31, "kernel_range": [0, 2**31 - 1]}}, "is not what the kernel takes, 0 to"),
        ({SOMAXCONN: {"at_least": 1, "kernel_range": [3]}}, "kernel_range is"),
        ({SOMAXCONN: {"at_least": 1, "memory_connections": 0}}, "memory_connections is 0; it takes a number from 1"),
        ({"net..x": 1}, "is not the name of a kernel parameter"),
        ({"../etc/passwd": 1}, "is not the name of a kernel parameter"),
        ({"net.ipv4.conf.*.rp_filter": 1}, "is not the name of a kernel parameter"),
        ({"net.core.x\n": 1}, "is not the name of a kernel parameter"),
        ({"-net.core.x": 1}, "is not the name of a kernel parameter"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(given_settings: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_settings(given_settings)


@pytest.mark.parametrize("key", ["net/ipv4/conf/eth0.100/mtu", "net.ipv4.conf.eth0/100.mtu", "net.ipv4.conf.br-1.mtu"])
def test_keys_of_interfaces(key: str) -> None:
    assert one(1, key).key == key


@given(st.lists(NUMBERS, min_size=1, max_size=3), st.lists(NUMBERS, min_size=1, max_size=3))
def test_only_raises_or_only_lowers_and_then_is_satisfied(now: List[int], wanted: List[int]) -> None:
    wanted = wanted[: len(now)]
    for name, better in (("at_least", max), ("at_most", min)):
        setting = one({name: wanted})
        reached = parse(setting.reached_from(parse(now)))
        assert setting.satisfied_by(reached)
        assert reached.numbers is not None
        assert list(reached.numbers) == [better(a, b) for a, b in zip(now, wanted)] + now[len(wanted) :]
        assert setting.reached_from(reached) == reached.text


def test_exact_takes_a_vector_of_the_right_length_only() -> None:
    assert one({"exact": [1, 2, 3]}).reached_from(parse("9 9 9")) == "1 2 3"
    with pytest.raises(ValueError, match="has 3 elements"):
        one({"exact": [1, 2]}).reached_from(parse("9 9 9"))
    with pytest.raises(ValueError, match="fewer elements"):
        one([1, 2, 3, 4]).reached_from(parse("9 9 9"))


@pytest.mark.parametrize(("kernel", "matters"), [("5.10.0-1", False), ("6.1", True), ("6.5.1", True), ("6.6", False)])
def test_kernels_between_which_it_matters(kernel: str, matters: bool) -> None:
    assert one({"at_least": 1, "since": "6.1", "until": 6.6}).concerns(parse_kernel(kernel)) is matters
    assert one(1).concerns(parse_kernel("what is this"))
