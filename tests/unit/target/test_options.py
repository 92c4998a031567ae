# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the facts modules: bad ones are refused with a sentence that helps."""

from __future__ import annotations

from typing import Any, Dict, NoReturn

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import options_of, run_facts_module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import (
    DEFAULT_SYSCTL_KEYS,
    GatherOptions,
    Subset,
    is_network_key,
)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"sample_interval": -1.0}, "sample_interval is -1; it takes 0 to 60 seconds"),
        ({"sample_interval": 61.0}, "sample_interval is 61; it takes 0 to 60 seconds"),
        ({"sample_interval": float("nan")}, "sample_interval is nan; it takes 0 to 60 seconds"),
        ({"route_limit": 0}, "route_limit is 0; it takes 1 or more"),
        ({"subsets": frozenset()}, "gather_subset is empty; name at least one of mtu, sysctl, listen_queues"),
        (
            {"sysctl_keys": ("net.core.somaxconn", "vm.swappiness")},
            "'vm.swappiness' is not a network sysctl; it begins with net. and has no empty part",
        ),
    ],
)
def test_a_bad_option_is_named_with_its_value_and_what_is_allowed(fields: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        GatherOptions(**fields).validate()
    assert str(caught.value) == message


def test_the_defaults_are_valid() -> None:
    options = GatherOptions()
    options.validate()
    assert options.wants(Subset.MTU) and options.sysctl_keys == DEFAULT_SYSCTL_KEYS


@pytest.mark.parametrize(
    "key, expected",
    [
        ("net.core.somaxconn", True),
        ("net/core/somaxconn", True),
        ("net.ipv4.conf.eth0/100.rp_filter", True),
        ("net/ipv4/conf/eth0.100/rp_filter", True),
        ("net/ipv4/../../kernel/hostname", False),
        ("net/./core", False),
        ("net..core", False),
        ("net", False),
        ("", False),
        ("/etc/passwd", False),
        ("kernel.hostname", False),
    ],
)
def test_only_keys_below_net_are_read(key: str, expected: bool) -> None:
    assert is_network_key(key) is expected


def test_a_module_without_an_option_gets_its_default() -> None:
    options = options_of({"keys": ["net.core.somaxconn"]}, {Subset.SYSCTL})
    assert options == GatherOptions(subsets=frozenset({Subset.SYSCTL}), sysctl_keys=("net.core.somaxconn",))
    assert options_of({"keys": None}, {Subset.SYSCTL}).sysctl_keys == DEFAULT_SYSCTL_KEYS


class Exit(Exception):
    """How the module ended."""


class ScriptedModule:
    """Ends with an exception, as AnsibleModule ends with SystemExit."""

    def __init__(self, params: Dict[str, Any]) -> None:
        self.params = params

    def exit_json(self, **result: Any) -> NoReturn:
        raise Exit("success", result)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        raise Exit("failure", msg)


def test_a_module_fails_on_bad_input_before_it_reads_anything() -> None:
    with pytest.raises(Exit) as caught:
        run_facts_module(ScriptedModule({"sample_interval": 99.0}), {Subset.LISTEN_QUEUES})
    assert caught.value.args == ("failure", "sample_interval is 99; it takes 0 to 60 seconds")
