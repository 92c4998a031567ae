# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of kernel parameters."""

from __future__ import annotations

from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_value import Comparison, SysctlValue

parse = SysctlValue.parse
VECTORS = st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("value", "text", "numbers"),
    [
        ("4096", "4096", (4096,)),
        (4096, "4096", (4096,)),
        ("4096\t131072\t6291456\n", "4096 131072 6291456", (4096, 131072, 6291456)),
        ([1, 2], "1 2", (1, 2)),
        (["1", "2"], "1 2", (1, 2)),
        ("-1", "-1", (-1,)),
        ("0x1f", "0x1f", (31,)),
        ("cubic", "cubic", None),
        ("010", "010", (10,)),
    ],
)
def test_parses_what_the_kernel_prints(value: Any, text: str, numbers: Any) -> None:
    assert (parse(value).text, parse(value).numbers) == (text, numbers)


@pytest.mark.parametrize("value", ["", "  ", [], True, [True, 1]])
def test_refuses_what_is_no_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r"empty|boolean"):
        parse(value)


@pytest.mark.parametrize(
    ("mine", "comparison", "wanted", "outcome"),
    [
        ("4096", Comparison.AT_LEAST, "4096", True),
        ("4095", Comparison.AT_LEAST, "4096", False),
        ("4096 1 9", Comparison.AT_LEAST, "4096 1 8", True),
        ("4096 1 9", Comparison.AT_LEAST, "4096 2 8", False),
        ("600", Comparison.AT_MOST, "900", True),
        ("7200", Comparison.AT_MOST, "900", False),
        ("0", Comparison.EXACT, "0", True),
        ("1", Comparison.EXACT, "0", False),
        ("1 2", Comparison.EXACT, "1", False),
        ("bbr", Comparison.EXACT, "bbr", True),
        ("cubic", Comparison.EXACT, "bbr", False),
    ],
)
def test_compares_element_by_element(mine: str, comparison: Comparison, wanted: str, outcome: bool) -> None:
    assert parse(mine).satisfies(comparison, parse(wanted)) is outcome


@pytest.mark.parametrize(("mine", "wanted"), [("cubic", "1"), ("1", "cubic"), ("1", "1 2")])
def test_says_what_cannot_be_compared(mine: str, wanted: str) -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        parse(mine).satisfies(Comparison.AT_LEAST, parse(wanted))


@given(VECTORS, VECTORS)
def test_raising_lowers_nothing_and_satisfies(mine: List[int], wanted: List[int]) -> None:
    raised = parse(parse(mine).raised_to(parse(wanted)))
    assert raised.satisfies(Comparison.AT_LEAST, parse(mine))
    if len(wanted) <= len(mine):
        assert raised.satisfies(Comparison.AT_LEAST, parse(wanted))
