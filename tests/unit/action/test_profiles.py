# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profiles that come with the collection, and what the action makes of a task's options."""

from __future__ import annotations

import math
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.action.sysctl_profile import resolve
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_setting import Operator, parse_settings
from ansible_collections.netfit.cluster.plugins.modules import sysctl_profile
from ansible_collections.netfit.cluster.plugins.plugin_utils._profiles.buffers import (
    LARGEST,
    PAGE,
    SMALLEST,
    window_bytes,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._profiles.load import (
    PathOptions,
    ProfileError,
    load_profiles,
    profile_names,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy

PATH = {"bandwidth_mbit": 10000.0, "round_trip_ms": 30.0}


def load_profile(name: str) -> Dict[str, Dict[str, Any]]:
    return load_profiles([name], PathOptions(**PATH) if name == "high_bandwidth" else PathOptions())


@pytest.mark.parametrize("name", profile_names())
def test_each_value_has_a_reason_a_source_and_a_scope(name: str) -> None:
    settings = parse_settings(load_profile(name))
    assert settings
    for setting in settings:
        assert setting.reason and setting.source, setting.key
    assert all(setting.scope == "both" for setting in settings) is (name == "gateway")


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_satisfies_the_policy(name: str) -> None:
    """What remediation sets must not be a finding of the next audit."""
    wanted = {setting.key: setting for setting in parse_settings(load_profile(name))}
    for entry in load_policy().sysctls:
        setting = wanted.get(entry.key)
        if setting is not None and setting.value is not None:
            assert setting.value.satisfies(entry.comparison, entry.wanted), entry.key


def test_the_module_names_the_profiles_that_there_are() -> None:
    assert sorted(sysctl_profile.SPEC["profile"]["choices"]) == profile_names()


def test_buffers_are_computed_from_the_path() -> None:
    settings = load_profiles(["high_bandwidth"], PathOptions(**PATH, connections=8))
    assert settings["net.ipv4.tcp_rmem"]["at_least"] == [4096, 131072, 75001856]
    assert settings["net.ipv4.tcp_wmem"]["memory_connections"] == 8


@given(st.floats(0.1, 1e6), st.floats(0.01, 1e4))
def test_a_window_holds_twice_what_is_under_way(bandwidth: float, round_trip: float) -> None:
    found, under_way = window_bytes(bandwidth, round_trip), bandwidth * round_trip * 125
    assert found % PAGE == 0 and SMALLEST <= found <= LARGEST
    assert found == LARGEST or found >= 2 * under_way or math.isclose(found, 2 * under_way)
    assert found in (SMALLEST, LARGEST) or found < 2 * under_way + PAGE + 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"profile": "fast"}, "profile is 'fast'; there are gateway, high_bandwidth, kubernetes_node, policy"),
        ({"profile": {"a": 1}}, "it takes names of profiles"),
        ({"profile": "policy", "policy": {"x": 1}}, "x"),
        ({"profile": "high_bandwidth"}, "needs bandwidth_mbit and round_trip_ms"),
        ({"profile": "high_bandwidth", "bandwidth_mbit": 1}, "needs round_trip_ms"),
        ({"profile": "high_bandwidth", "bandwidth_mbit": "x", "round_trip_ms": 1}, "bandwidth_mbit is 'x'"),
        ({"profile": "high_bandwidth", "bandwidth_mbit": -1, "round_trip_ms": 1}, "bandwidth_mbit is -1; it takes"),
        ({"profile": "high_bandwidth", "bandwidth_mbit": 1, "round_trip_ms": 1e9}, "round_trip_ms is 1e.09; it takes"),
        ({"profile": "high_bandwidth", **PATH, "memory_connections": 0}, "memory_connections is 0"),
        ({"profile": "gateway", "bandwidth_mbit": 5}, "belong to profile high_bandwidth"),
        ({"bandwidth_mbit": 5, "settings": {}}, "belong to profile high_bandwidth"),
        ({"settings": [1]}, r"settings is \[1\]; it takes a dictionary"),
    ],
)
def test_bad_options_are_refused_on_the_controller(options: Dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        resolve(options)


def test_own_settings_take_the_place_of_the_profile_s() -> None:
    found = resolve({"profile": "gateway", "settings": {"net.core.somaxconn": 999, "net.ipv4.x": 1}, "run": "r"})
    assert found["run"] == "r" and "profile" not in found
    assert found["settings"]["net.core.somaxconn"] == {"kernel_range": [0, 2147483647], "at_least": 999}
    assert found["settings"]["net.ipv4.x"] == 1 and "net.ipv4.tcp_syncookies" in found["settings"]


def test_a_value_out_of_the_kernel_s_range_is_known_before_a_host_is_touched() -> None:
    found = resolve({"settings": {"net.core.somaxconn": 2**40}})
    with pytest.raises(ValueError, match="1099511627776 is not what the kernel takes, 0 to 2147483647"):
        parse_settings(found["settings"])


def test_operators_are_those_of_the_model() -> None:
    assert {operator.value for operator in Operator} == {"at_least", "at_most", "exact", "absent"}


def test_of_two_profiles_the_stricter_value_counts() -> None:
    together = resolve({"profile": ["policy", "gateway", "kubernetes_node"]})["settings"]
    assert together["net.core.somaxconn"]["at_least"] == 16384
    assert together["net.ipv4.tcp_abort_on_overflow"]["exact"] in (0, "0")
    assert together == {
        **together,
        **{key: together[key] for key in load_profile("gateway")},
    }
    assert set(together) == {key for name in ("policy", "gateway", "kubernetes_node") for key in load_profile(name)}
    assert resolve({"profile": "gateway, policy"})["settings"].keys() == {
        *load_profile("gateway"),
        *load_profile("policy"),
    }


def test_what_cannot_be_had_together_is_said() -> None:
    policy = {"sysctls": {"net.ipv4.tcp_keepalive_time": {"minimum": 900, "reason": "r", "applies_to": "host"}}}
    with pytest.raises(ProfileError, match="tcp_keepalive_time: the profiles gateway and policy want what cannot"):
        resolve({"profile": ["gateway", "policy"], "policy": policy})


def test_the_policy_s_own_values_are_a_profile() -> None:
    policy = {"sysctls": {"net.core.somaxconn": {"minimum": 8192}}}
    found = resolve({"profile": "policy", "policy": policy})["settings"]
    assert found["net.core.somaxconn"]["at_least"] == "8192" and found["net.core.somaxconn"]["optional"]
    assert found["net.core.rmem_max"]["scope"] == "host"


def test_vectors_of_two_profiles_are_mixed_element_by_element() -> None:
    policy = {"sysctls": {"net.ipv4.tcp_rmem": {"minimum": [8192, 9999999, 4194304]}}}
    found = resolve({"profile": ["high_bandwidth", "policy"], "policy": policy, **PATH})["settings"]
    assert found["net.ipv4.tcp_rmem"]["at_least"] == "8192 9999999 75001856"
