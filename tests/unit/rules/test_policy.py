# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: defaults that hold together, merging, and refusal of what cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import DEFAULT_SYSCTL_KEYS
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import CATALOGUE
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import PolicyError, load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy_check import check_policy


def test_defaults_pass_their_own_check_and_say_why() -> None:
    policy = load_policy()
    check_policy({name: dict(policy.merged[name]) for name in policy.merged}, policy.merged, "defaults")
    assert len(policy.sysctls) >= 10
    assert all(entry.reason and entry.source for entry in policy.sysctls)
    assert len(policy.breaking) >= 8 and all(entry.reason and entry.source for entry in policy.breaking)
    assert all(program.source for program in policy.programs.values())
    assert (policy.source, policy.overrides) == ("defaults", {})


def test_catalogue_has_exactly_these_rules() -> None:
    assert sorted(CATALOGUE) == sorted(
        [
            *[f"MTU-{number:03}" for number in range(1, 11)],
            *[f"QUEUE-00{number}" for number in range(1, 5)],
            *[f"SYSCTL-00{number}" for number in range(1, 7)],
            *[f"PATH-00{number}" for number in range(1, 9)],
            "MSS-001",
            "NODEPORT-001",
            *[f"HTTP-00{number}" for number in range(1, 4)],
            "AUDIT-001",
            "AUDIT-002",
        ]
    )
    assert all(rule.title and rule.why for rule in CATALOGUE.values())
    assert all(rule.references for rule in CATALOGUE.values() if not rule.id.startswith("AUDIT"))


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(
        "sysctls: {net.core.somaxconn: {minimum: 16384}}\nrules: {MTU-005: {severity: low}}\n", encoding="utf-8"
    )
    policy = load_policy("own.yml", tmp_path)
    entry = next(one for one in policy.sysctls if one.key == "net.core.somaxconn")
    assert (entry.wanted.text, entry.applies_to) == ("16384", "both")
    assert policy.source == str(path) and policy.digest != load_policy().digest
    assert policy.overrides == {
        "sysctls": {"net.core.somaxconn": {"minimum": 16384}},
        "rules": {"MTU-005": {"severity": "low"}},
    }


def test_exact_takes_the_place_of_minimum() -> None:
    policy = load_policy({"sysctls": {"net.core.somaxconn": {"exact": 9000}}})
    entry = next(one for one in policy.sysctls if one.key == "net.core.somaxconn")
    assert entry.expected == "9000"


def test_empty_file_is_the_default_policy(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("---\n", encoding="utf-8")
    assert load_policy("empty.yml", tmp_path).digest == load_policy().digest
    assert load_policy("").digest == load_policy({}).digest == load_policy().digest


def _sysctl(**entry: Any) -> Dict[str, Any]:
    return {"sysctls": {"net.core.somaxconn": entry}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sysctl": {}}, ["sysctl is no part of a policy", "did you mean sysctls?"]),
        (
            {"sysctls": {"net.core.somaxcon": {"minimum": 1}}},
            ["net.core.somaxcon ", "did you mean net.core.somaxconn?"],
        ),
        (_sysctl(minimun=1), ["sysctls.net.core.somaxconn.minimun", "did you mean minimum?"]),
        (_sysctl(minimum="lots"), ["'lots'", "must be a number"]),
        (_sysctl(minimum=True), ["True", "boolean"]),
        (_sysctl(minimum=1.5), ["1.5", "must be a number"]),
        (_sysctl(minimum=-1), ["-1", "the kernel takes 0 to 2147483647"]),
        (_sysctl(minimum=[1, 2]), ["[1, 2]", "1 number(s)"]),
        (_sysctl(minimum=1, exact=2), ["minimum and exact", "only one"]),
        (_sysctl(severity="hihg"), ["'hihg'", "info, low, medium, high, critical", "did you mean high?"]),
        (_sysctl(applies_to="pod"), ["'pod'", "host, namespace, both"]),
        (_sysctl(since=5.4), ["5.4", "kernel version"]),
        (_sysctl(symptom="acept_queue"), ["did you mean accept_queue?"]),
        (_sysctl(kernel_range=[1]), ["kernel_range", "smallest and the largest"]),
        (_sysctl(enabled="yes"), ["'yes'", "true or false"]),
        ({"sysctls": {"net.ipv4.tcp_rmem": {"minimum": 4096}}}, ["3 number(s)", "4096 87380 4194304"]),
        ({"sysctls": []}, ["sysctls is []", "mapping"]),
        ({"rules": {"MTU-01": {}}}, ["rules.MTU-01 is no rule", "did you mean MTU-0"]),
        ({"rules": {"MTU-001": {"severty": "low"}}}, ["did you mean severity?"]),
        ({"rules": {"MTU-001": {"severity": 3}}}, ["3", "must be one of"]),
        ({"listeners": {"minimum_backlog": "511"}}, ["'511'", "whole number from 0"]),
        ({"listeners": {"programs": {"nginx": {"backlog": "somaxcon"}}}}, ["listeners.programs.nginx.backlog"]),
        ({"symptoms": {"accept_queue": "TcpExt.ListenDrops"}}, ["symptoms.accept_queue", "list of texts"]),
        (
            {"breaking": {"net.ipv4.ip_forwrd": {"never": [0]}}},
            ["breaking.net.ipv4.ip_forwrd", "mean net.ipv4.ip_forward?"],
        ),
        (
            {"breaking": {"net.ipv4.tcp_ecn": {"reason": "ours"}}},
            ["breaking.net.ipv4.tcp_ecn", "one of exact, maximum"],
        ),
        ({"breaking": {"net.ipv4.ip_forward": {"were": "host"}}}, ["did you mean where?"]),
        ({"breaking": {"net.ipv4.ip_forward": {"where": "pod"}}}, ["'pod'", "host, both"]),
        ({"breaking": {"net.ipv4.ip_forward": {"never": 0}}}, ["never is 0", "list of whole numbers"]),
        ({"breaking": {"net.ipv4.ip_forward": {"minimum": 1, "exact": 1}}}, ["minimum and exact", "only one"]),
        ({"breaking": {"net.ipv4.ip_local_port_range": {"node_ports": [2, 1]}}}, ["smallest and the largest"]),
        ([1], ["neither a mapping nor the path"]),
    ],
)
def test_what_cannot_be_meant_is_refused(given: Any, words: Any) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(given)
    assert str(refused.value).startswith("netfit_policy")
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_key_of_ones_own_must_be_described() -> None:
    described = {"minimum": 1, "reason": "handshakes", "applies_to": "both"}
    policy = load_policy({"sysctls": {"net.ipv4.tcp_fastopen": described}})
    assert "net.ipv4.tcp_fastopen" in {entry.key for entry in policy.sysctls}
    for name in described:
        with pytest.raises(PolicyError, match=name):
            partly = {key: described[key] for key in described if key != name}
            load_policy({"sysctls": {"net.ipv4.tcp_fastopen": partly}})


def test_breaking_values_are_merged_and_switched_off() -> None:
    own = {"net.ipv4.tcp_ecn": {"never": [1], "reason": "an old firewall"}, "net.ipv4.ip_forward": {"enabled": False}}
    entries = {entry.key: entry for entry in load_policy({"breaking": own}).breaking}
    assert "net.ipv4.ip_forward" not in entries and "net.ipv4.tcp_timestamps" in entries
    ecn = entries["net.ipv4.tcp_ecn"]
    assert ecn.breaks("1", "") and not ecn.breaks("2", "") and (ecn.where, ecn.live) == ("host", True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sysctls: [", "not valid YAML"),
        ("- 1\n", "must be a mapping"),
        ("rules: {X-1: {}}", "X-1"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PolicyError, match=words) as refused:
        load_policy(str(path))
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yml could not be read"):
        load_policy("nowhere.yml", tmp_path)


def test_the_facts_gather_by_default_what_the_default_policy_asks_for() -> None:
    policy = load_policy(None)
    assert set(policy.sysctl_keys) <= set(DEFAULT_SYSCTL_KEYS)
