# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes of sysctls, and rates."""

from __future__ import annotations

from typing import Dict, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._facts.reading import Sample, drop_rate, rates
from ansible_collections.netfit.cluster.plugins.module_utils._facts.sysctl_fact import Scope, scopes_of
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl import SysctlReading

HOST = 1
OPEN, SHUT = SysctlReading(value="1", writable=True), SysctlReading(value="1", writable=False)


@pytest.mark.parametrize(
    "others, scope",
    [
        ({}, Scope.UNKNOWN),
        ({2: {"k": OPEN}}, Scope.NAMESPACE),
        ({2: {"k": SHUT}}, Scope.HOST),
        ({2: {}}, Scope.HOST),
        ({2: {}, 3: {"k": SHUT}}, Scope.HOST),
        ({2: {}, 3: {"k": OPEN}}, Scope.NAMESPACE),
    ],
)
def test_the_scope_is_what_the_other_namespaces_show(others: Dict[int, Dict[str, SysctlReading]], scope: Scope) -> None:
    assert scopes_of({HOST: {"k": OPEN}, **others}, [HOST]) == {"k": scope}


def test_a_key_that_only_a_container_has_is_not_the_hosts_to_judge() -> None:
    assert scopes_of({HOST: {}, 2: {"k": OPEN}}, [HOST]) == {}


def sample(taken: float, count: int, drops: Optional[Dict[int, int]] = None) -> Sample:
    return Sample(taken, {"TcpExt.ListenDrops": count}, drops or {})


@given(st.integers(0, 2**63), st.integers(0, 2**32), st.floats(0.01, 60))
def test_a_rate_is_the_growth_a_second(start: int, growth: int, seconds: float) -> None:
    found = rates(sample(0.0, start), sample(seconds, start + growth))["TcpExt.ListenDrops"]
    assert found == pytest.approx(growth / seconds, rel=1e-6, abs=0.001)


def test_a_counter_that_went_back_or_away_has_no_rate() -> None:
    assert rates(sample(0.0, 5), sample(1.0, 4)) == {}
    assert rates(sample(0.0, 5), Sample(1.0, {}, {})) == {}
    assert rates(sample(1.0, 5), sample(1.0, 9)) == {}


def test_a_drop_rate_needs_the_same_socket_at_both_moments() -> None:
    before, after = sample(0.0, 0, {7: 10, 8: 1}), sample(2.0, 0, {7: 13, 9: 5})
    assert [drop_rate(cookie, before, after) for cookie in (7, 8, 9)] == [1.5, None, None]
