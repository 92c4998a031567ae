# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about listeners: each fires on one table of facts and not on its healthy neighbour."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()


def found(listeners: List[Any], owner: Any = None, policy: Any = POLICY, **more: Any) -> List[Finding]:
    facts = b.facts(queues=[b.queue(77, owner or b.container(), listeners, paths=["/run/docker/netns/77"], **more)])
    facts["netfit_mtu"]["kernel"] = facts["netfit_sysctl"]["kernel"] = b.KERNEL
    return [one for one in assess_host("n1", facts, policy) if one.status.value == "fail"]


def ids(listeners: List[Any], **more: Any) -> List[Tuple[str, str]]:
    return [(one.id, one.severity.value) for one in found(listeners, **more)]


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ([b.listener(80, 511, "nginx")], []),
        ([b.listener(80, 4096, "traefik")], []),
        ([b.listener(8080, 50, "app")], [("QUEUE-001", "low")]),
        ([b.listener(8080, 50, "app", "127.0.0.1")], [("QUEUE-001", "info")]),
        ([b.listener(8080, 50, "app", "::1")], [("QUEUE-001", "info")]),
        ([b.listener(22, 128, "sshd")], [("QUEUE-001", "info")]),
        ([b.listener(53, 32, "systemd-resolve", "127.0.0.53%lo")], [("QUEUE-001", "info")]),
        ([b.listener(8080, 50, "app", queue=51)], [("QUEUE-003", "high"), ("QUEUE-001", "high")]),
        ([b.listener(22, 128, "sshd", drops=9, drop_rate=4.0)], [("QUEUE-003", "high"), ("QUEUE-001", "high")]),
        ([b.listener(22, 128, "sshd", drops=9, drop_rate=0.0)], [("QUEUE-003", "low"), ("QUEUE-001", "info")]),
        ([b.listener(80, 511, "nginx", queue=511)], []),
        ([b.listener(80, 511, "nginx", queue=512)], [("QUEUE-003", "high")]),
        ([b.listener(80, 511, "nginx", drops=3)], [("QUEUE-003", "low")]),
        ([b.listener(80, 511, "nginx", drops=None)], []),
        ([b.listener(80, 600, "app"), b.listener(80, 50, "app")], [("QUEUE-001", "low")]),
    ],
)
def test_backlog_and_overflow(listeners: List[Any], expected: List[Tuple[str, str]]) -> None:
    assert sorted(ids(listeners)) == sorted(expected)


@pytest.mark.parametrize(
    ("listener", "somaxconn", "stale"),
    [
        (b.listener(80, 128, "nginx"), 4096, 511),
        (b.listener(80, 511, "nginx"), 4096, None),
        (b.listener(80, 128, "nginx"), 128, None),
        (b.listener(80, 300, "nginx"), 400, 400),
        (b.listener(80, 4096, "traefik"), 16384, 16384),
        (b.listener(80, 128, "java"), 4096, 4096),
        (b.listener(80, 50, "java"), 4096, None),
        (b.listener(80, 100, "java"), 4096, None),
        (b.listener(80, 128, "app"), 4096, None),
        (b.listener(80, 600, "traefik"), 4096, None),
    ],
)
def test_stale_backlog(listener: Any, somaxconn: int, stale: Any) -> None:
    shown = [one for one in found([listener], somaxconn=somaxconn) if one.id == "QUEUE-002"]
    if stale is None:
        assert shown == []
        return
    [finding] = shown
    assert finding.confidence.value == "derived"
    assert finding.expected.startswith(f"{stale}, which listen() gives")
    assert finding.remedy is not None and finding.remedy.variables["backlog"] == stale


def test_one_cause_one_finding() -> None:
    assert ids([b.listener(80, 128, "nginx")]) == [("QUEUE-002", "low")]
    assert sorted(ids([b.listener(80, 128, "nginx")], somaxconn=400)) == [("QUEUE-001", "low"), ("QUEUE-002", "low")]


def test_remedy_raises_somaxconn_where_it_is_in_the_way() -> None:
    [short] = found([b.listener(8080, 128, "app", unit="app.service")], somaxconn=128)
    assert short.remedy is not None
    assert short.remedy.variables == {
        "namespace": "/run/docker/netns/77",
        "listener": "tcp 0.0.0.0:8080",
        "backlog": 511,
        "somaxconn": 511,
        "unit": "app.service",
    }


@pytest.mark.parametrize(
    ("rates", "listeners", "expected"),
    [
        ({}, [], []),
        ({"TcpExt.ListenOverflows": 0.0}, [], []),
        ({"TcpExt.ListenOverflows": 2.0}, [b.listener(80, 511, "nginx", drops=None)], [("QUEUE-003", "high")]),
        (
            {"TcpExt.ListenOverflows": 2.0},
            [b.listener(80, 511, "nginx", drops=3, drop_rate=2.0)],
            [("QUEUE-003", "high")],
        ),
        ({"TcpExt.SyncookiesSent": 1.0}, [], [("QUEUE-004", "medium")]),
        ({"TcpExt.TCPReqQFullDoCookies": 1.0}, [], [("QUEUE-004", "medium")]),
        ({"TcpExt.TCPReqQFullDrop": 1.0}, [], [("QUEUE-004", "high")]),
        ({}, [b.listener(80, 600, "app", syn_queue=601)], [("QUEUE-004", "medium")]),
        ({"TcpExt.SyncookiesSent": 5.0}, [b.listener(80, 600, "app", syn_queue=601)], [("QUEUE-004", "medium")]),
        ({}, [b.listener(80, 600, "app", syn_queue=600)], []),
    ],
)
def test_counters_of_the_namespace(rates: Dict[str, float], listeners: List[Any], expected: Any) -> None:
    assert ids(listeners, rates=rates) == expected


def test_cookies_for_everyone_are_no_symptom() -> None:
    assert ids([], rates={"TcpExt.SyncookiesSent": 9.0}, syncookies=2) == []


def test_overflow_is_measured_and_names_the_socket() -> None:
    [finding] = found([b.listener(80, 511, "nginx", queue=512, drops=7, drop_rate=2.5)])
    assert finding.confidence.value == "measured"
    assert finding.observed == "512 connections wait at backlog 511, 2.5 drops a second"
    assert finding.target.listener == "tcp 0.0.0.0:80" and finding.target.scope == "container"


def test_policy_sets_the_minimum_and_the_programs() -> None:
    own = load_policy({"listeners": {"minimum_backlog": 2000, "programs": {"gateway": {"backlog": 3000}}}})
    assert [one.id for one in found([b.listener(80, 511, "nginx")], policy=own)] == ["QUEUE-001"]
    assert [one.id for one in found([b.listener(80, 128, "gateway")], policy=own)] == ["QUEUE-002"]


def test_healthy_host_has_nothing_above_low() -> None:
    listeners = [
        b.listener(22, 128, "sshd", unit="ssh.service"),
        b.listener(22, 128, "sshd", "::"),
        b.listener(53, 4096, "systemd-resolve", "127.0.0.53"),
        b.listener(2375, 4096, "dockerd"),
        b.listener(25, 100, "master"),
        b.listener(5000, 5, "python3"),
    ]
    assert {one.severity.value for one in found(listeners, owner=b.host())} <= {"info", "low"}
