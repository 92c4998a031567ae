# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about kernel parameters, and what could not be read."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
SOMAXCONN = "net.core.somaxconn"
PER_NAMESPACE = {
    SOMAXCONN: "namespace",
    "net.ipv4.tcp_rmem": "namespace",
    "net.ipv4.tcp_abort_on_overflow": "namespace",
    "net.core.rmem_max": "host",
}
Values = Dict[str, str]


def found(
    on_host: Values,
    inside: Any = None,
    policy: Any = POLICY,
    owner: Any = None,
    rates: Any = None,
    writable: bool = True,
    scopes: Any = None,
    kernel: str = b.KERNEL,
) -> List[Finding]:
    sysctls = [b.sysctl(b.HOST_INODE, b.host(), on_host)]
    if inside is not None:
        sysctls.append(b.sysctl(77, owner or b.pod(), inside, writable, ["/run/netns/p"]))
    queues = [b.queue(b.HOST_INODE, b.host(), [], rates=rates)]
    facts = b.facts(queues=queues, sysctls=sysctls, scopes=PER_NAMESPACE if scopes is None else scopes, kernel=kernel)
    return assess_host("n1", facts, policy)


def ids(*arguments: Any, **more: Any) -> List[Tuple[str, str, str]]:
    return [(one.id, one.target.scope, one.target.key or "") for one in found(*arguments, **more)]


@pytest.mark.parametrize(
    ("on_host", "inside", "expected"),
    [
        ({SOMAXCONN: "4096"}, {SOMAXCONN: "4096"}, []),
        ({SOMAXCONN: "128"}, None, [("SYSCTL-001", "host", SOMAXCONN)]),
        ({SOMAXCONN: "128"}, {SOMAXCONN: "128"}, [("SYSCTL-001", "host", SOMAXCONN), ("SYSCTL-001", "pod", SOMAXCONN)]),
        ({SOMAXCONN: "4096"}, {SOMAXCONN: "128"}, [("SYSCTL-002", "pod", "")]),
        ({SOMAXCONN: "16384"}, {SOMAXCONN: "4096"}, [("SYSCTL-002", "pod", "")]),
        ({SOMAXCONN: "16384"}, {SOMAXCONN: "8192"}, []),
        ({SOMAXCONN: "4096"}, {}, []),
        ({"net.core.rmem_max": "1000"}, {"net.core.rmem_max": "1000"}, [("SYSCTL-001", "host", "net.core.rmem_max")]),
        ({"net.ipv4.tcp_rmem": "4096 131072 6291456"}, {"net.ipv4.tcp_rmem": "4096\t131072\t6291456"}, []),
        ({"net.ipv4.tcp_rmem": "4096 131072 65536"}, None, [("SYSCTL-001", "host", "net.ipv4.tcp_rmem")]),
        ({"net.ipv4.tcp_abort_on_overflow": "1"}, None, [("SYSCTL-001", "host", "net.ipv4.tcp_abort_on_overflow")]),
        ({"net.ipv4.tcp_max_syn_backlog": "128", "net.ipv4.tcp_syncookies": "1"}, None, []),
        (
            {"net.ipv4.tcp_max_syn_backlog": "128", "net.ipv4.tcp_syncookies": "0"},
            None,
            [("SYSCTL-001", "host", "net.ipv4.tcp_max_syn_backlog"), ("SYSCTL-001", "host", "net.ipv4.tcp_syncookies")],
        ),
        ({"net.ipv4.tcp_congestion_control": "cubic"}, None, []),
        ({SOMAXCONN: "many"}, None, [("AUDIT-001", "host", SOMAXCONN)]),
    ],
)
def test_values_against_the_policy(on_host: Values, inside: Any, expected: Any) -> None:
    assert sorted(ids(on_host, inside)) == sorted(expected)


@pytest.mark.parametrize(
    "more",
    [
        {"writable": False},
        {"scopes": {}},
        {"scopes": {SOMAXCONN: "host"}},
        {"owner": Owner(OwnerKind.UNKNOWN, "sandbox")},
    ],
)
def test_a_key_that_the_namespace_cannot_set_is_not_held_against_it(more: Any) -> None:
    assert ids({SOMAXCONN: "4096"}, {SOMAXCONN: "128"}, **more) == []


def test_one_finding_per_container_with_all_its_keys() -> None:
    on_host = {SOMAXCONN: "8192", "net.ipv4.tcp_rmem": "4096 131072 16777216", "net.ipv4.tcp_abort_on_overflow": "0"}
    inside = {SOMAXCONN: "128", "net.ipv4.tcp_rmem": "4096 87380 1000", "net.ipv4.tcp_abort_on_overflow": "1"}
    [finding] = found(on_host, inside)
    assert (finding.id, finding.severity.value) == ("SYSCTL-002", "medium")
    assert finding.remedy is not None
    assert finding.remedy.variables == {"namespace": "/run/netns/p", "sysctls": on_host}
    assert len(finding.evidence) == 3


def test_never_lowers() -> None:
    [finding] = found({"net.ipv4.tcp_rmem": "8192 131072 65536"})
    assert finding.remedy is not None
    assert finding.remedy.variables["sysctls"] == {"net.ipv4.tcp_rmem": "8192 131072 4194304"}
    assert finding.remedy.survives_restart


def test_symptom_raises_severity() -> None:
    assert [one.severity.value for one in found({SOMAXCONN: "128"})] == ["low"]
    rates = {"TcpExt.ListenOverflows": 3.0}
    raised = [one for one in found({SOMAXCONN: "128"}, rates=rates) if one.id == "SYSCTL-001"]
    assert [(one.severity.value, one.confidence.value) for one in raised] == [("high", "measured")]


@pytest.mark.parametrize(("kernel", "count"), [("4.9.0", 0), ("5.10.0-30", 1), ("6.1.0", 0), ("odd", 1)])
def test_policy_knows_kernels(kernel: str, count: int) -> None:
    own = load_policy({"sysctls": {SOMAXCONN: {"since": "5.4", "until": "6.1"}}})
    assert len(found({SOMAXCONN: "1"}, policy=own, kernel=kernel)) == count


def test_problems_are_errors_and_never_failures() -> None:
    facts = b.facts(
        problems=[
            b.problem("docker daemon.json", "line 3: not JSON", "/etc/docker/daemon.json"),
            b.problem("network namespace", "vanished"),
            b.problem("network namespace", "hidden"),
        ]
    )
    findings = assess_host("n1", facts, POLICY)
    assert [(one.id, one.status.value, one.target.path, one.target.key) for one in findings] == [
        ("AUDIT-001", "error", "/etc/docker/daemon.json", None),
        ("AUDIT-001", "error", None, "network namespace"),
    ]
    assert findings[0].observed == "docker daemon.json: line 3: not JSON"
    assert findings[1].observed == "network namespace: hidden"
    assert "network namespace: vanished" in {one.value for one in findings[1].evidence}


def test_facts_that_were_not_gathered_are_told() -> None:
    findings = assess_host("n1", {"netfit_mtu": b.facts()["netfit_mtu"]}, POLICY)
    assert [(one.id, one.status.value, one.target.key) for one in findings] == [
        ("AUDIT-001", "error", "netfit_listen_queues"),
        ("AUDIT-001", "error", "netfit_sysctl"),
    ]


def test_rules_can_be_switched_off_and_given_a_severity() -> None:
    assert found({SOMAXCONN: "128"}, policy=load_policy({"rules": {"SYSCTL-001": {"enabled": False}}})) == []
    [finding] = found({SOMAXCONN: "128"}, policy=load_policy({"rules": {"SYSCTL-001": {"severity": "critical"}}}))
    assert finding.severity.value == "critical"
