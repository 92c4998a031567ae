# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several containers and pods are chosen at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._facts.owners import Owners
from ansible_collections.netfit.cluster.plugins.module_utils._facts.selection import left_out, select
from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import NoSuchSource
from ansible_collections.netfit.cluster.plugins.module_utils._facts.survey import Census
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import ContainerRecord, Namespace

GATE_1, GATE_2, BATCH = "1" * 64, "2" * 64, "3" * 64
APP_1, APP_2, PROXY, AGENT, JOINER = "4" * 64, "5" * 64, "6" * 64, "7" * 64, "8" * 64
WEB, SIDE, OLD, TEAPOT = "a" * 64, "b" * 64, "c" * 64, "d" * 64
PIDS = {10: [100, 101], 11: [110, 111], 12: [120], 20: [200, 201], 21: [210], 1: [1, 60, 70, 80]}
CHOICES: List[Dict[str, str]] = [
    {"container": "web"},
    {"container": "*"},
    {"pod": "prod/gate-?"},
    {"pod": "*/*"},
    {"pod_namespace": "jobs"},
    {"label": "app"},
    {"label": "app=gateway", "pod_namespace": "prod"},
]


def pod(identifier: str, namespace: str, name: str, pid: int, **more: Any) -> ContainerRecord:
    where = {"pod": name, "pod_namespace": namespace, "pid": pid}
    return ContainerRecord("containerd", identifier, name, sandbox=True, sandbox_id=identifier, **where, **more)


def app(identifier: str, sandbox: ContainerRecord, name: str, pid: int) -> ContainerRecord:
    labels = {"io.kubernetes.container.name": name}
    return replace(sandbox, container_id=identifier, sandbox=False, name=name, pid=pid, labels=labels)


GATEWAYS = [
    pod(GATE_1, "prod", "gate-1", 100, labels={"app": "gateway", "track": "stable"}),
    pod(GATE_2, "prod", "gate-2", 110, labels={"app": "gateway"}),
]
ON_HOST = pod(PROXY, "kube-system", "proxy", 60, host_network=True, labels={"app": "proxy"})
RECORDS = [
    *GATEWAYS,
    app("9" * 64, ON_HOST, "agent-of-proxy", 60),
    app(APP_1, GATEWAYS[0], "nginx", 101),
    app(APP_2, GATEWAYS[1], "nginx", 111),
    pod(BATCH, "jobs", "batch", 120, labels={"app": "batch"}),
    ON_HOST,
    ContainerRecord("docker", WEB, "web", pid=200, network_namespace_path="/run/n/web", labels={"app": "gateway"}),
    ContainerRecord("docker", SIDE, "side", pid=201, network_namespace_path="/proc/201/ns/net", labels={"role": "log"}),
    ContainerRecord("docker", TEAPOT, "teapot", pid=210, labels={"app": "", "odd": "a=b"}),
    ContainerRecord("docker", OLD, "old", labels={"app": "gateway"}),
    ContainerRecord("docker", "e" * 64, "ended", host_network=True),
    ContainerRecord("docker", AGENT, "agent", pid=70, host_network=True, labels={}),
    ContainerRecord("containerd", JOINER, "joiner", pid=80, network_namespace_path="/proc/80/ns/net", labels={}),
]


def census(records: Optional[List[ContainerRecord]] = None) -> Census:
    namespaces = [Namespace(inode, pid=pids[0], host=inode == 1) for inode, pids in sorted(PIDS.items())]
    namespaces.append(Namespace(30, ("/run/netns/mine",)))
    owners = Owners("n1", RECORDS if records is None else records, {}, PIDS, {"/run/n/web": 20}.get)
    return Census(namespaces, owners, {}, [])


def names(*wanted: Dict[str, Any]) -> List[Optional[str]]:
    return [source.owner.name for source in select(census(), wanted)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"container": "web"}, ["web"]),
        ({"container": "w*"}, ["web"]),
        ({"container": WEB}, ["web"]),
        ({"container": WEB[:12]}, ["web"]),
        ({"container": "side"}, ["web"]),
        ({"container": "nginx"}, ["prod/gate-1", "prod/gate-2"]),
        ({"container": APP_2[:12]}, ["prod/gate-2"]),
        ({"container": "tea[op]ot"}, ["teapot"]),
        ({"pod": "prod/gate-1"}, ["prod/gate-1"]),
        ({"pod": "prod/gate*"}, ["prod/gate-1", "prod/gate-2"]),
        ({"pod": "*/batch"}, ["jobs/batch"]),
        ({"pod_namespace": "prod"}, ["prod/gate-1", "prod/gate-2"]),
        ({"pod_namespace": "j*"}, ["jobs/batch"]),
        ({"label": "app=gateway"}, ["prod/gate-1", "prod/gate-2", "web"]),
        ({"label": "app"}, ["jobs/batch", "prod/gate-1", "prod/gate-2", "teapot", "web"]),
        ({"label": "app="}, ["teapot"]),
        ({"label": "odd=a=b"}, ["teapot"]),
        ({"label": "role=log"}, ["web"]),
    ],
)
def test_one_key_chooses(entry: Dict[str, str], expected: List[str]) -> None:
    assert names(entry) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"label": "app=gateway", "pod_namespace": "prod"}, ["prod/gate-1", "prod/gate-2"]),
        ({"label": "track", "pod": "prod/gate*"}, ["prod/gate-1"]),
        ({"pod": "*/gate-2", "container": "nginx", "label": None}, ["prod/gate-2"]),
        ({"container": "w*", "label": "app=gateway"}, ["web"]),
    ],
)
def test_keys_of_one_entry_narrow(entry: Dict[str, Any], expected: List[str]) -> None:
    assert names(entry) == expected


def test_entries_add_up_and_nothing_comes_twice() -> None:
    assert names({"container": "web"}, {"pod": "prod/*"}, {"label": "app=gateway"}) == [
        "prod/gate-1",
        "prod/gate-2",
        "web",
    ]
    assert names() == []


@given(st.lists(st.sampled_from(CHOICES), max_size=4))
def test_several_entries_give_what_each_gives(entries: List[Dict[str, str]]) -> None:
    apart = {name for entry in entries for name in names(entry)}
    assert names(*entries) == sorted(apart, key=str)
    assert "n1" not in apart


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"container": "none"},
            "container none is not here; there are container teapot, container web, pod jobs/batch",
        ),
        ({"container": "old"}, "is not here"),
        ({"container": "prod/gate-1"}, "is not here"),
        ({"container": WEB[:11]}, "is not here"),
        ({"container": "gate-1"}, "is not here"),
        ({"pod": "prod/GATE-1"}, "is not here"),
        ({"pod": "gate-1"}, "containers[0].pod: 'gate-1' is not of the form namespace/name"),
        ({"pod": "a/b/c"}, "'a/b/c' is not of the form namespace/name"),
        ({"pod_namespace": "docker"}, "is not here"),
        (
            {"label": "app=gate"},
            "with the labels app=, app=batch, app=gateway, io.kubernetes.container.name=nginx, odd",
        ),
        ({"label": "gateway"}, "label gateway is not here"),
        ({"label": "app=batch", "pod_namespace": "prod"}, "label app=batch, pod_namespace prod is not here"),
        ({}, "containers[0]: one of container, pod, pod_namespace, label is needed"),
        ({"pod": None}, "containers[0]: one of container, pod, pod_namespace, label is needed"),
        ({"label": "=gateway"}, "containers[0].label: '=gateway' names nothing"),
        ({"container": ""}, "containers[0].container: '' names nothing"),
        ({"namespace": "prod"}, "'namespace' is none of container, pod, pod_namespace, label"),
    ],
)
def test_what_means_nothing_is_said_with_what_there_is(entry: Dict[str, Any], message: str) -> None:
    with pytest.raises(NoSuchSource) as failure:
        names(entry)
    assert message in str(failure.value)


@pytest.mark.parametrize("entry", [{"pod": "prod*/batch"}, {"container": "n?ne"}, {"pod": "kube-system/*"}])
def test_a_pattern_may_mean_nothing(entry: Dict[str, Any]) -> None:
    assert names(entry) == []


def test_the_entry_at_fault_is_named() -> None:
    with pytest.raises(NoSuchSource, match=r"^pods\[1\]: container none is not here"):
        select(census(), [{"container": "web"}, {"container": "none"}], option="pods")


@pytest.mark.parametrize(
    ("entry", "who"),
    [
        ({"pod": "kube-system/proxy"}, "pod kube-system/proxy"),
        ({"label": "app=proxy"}, "pod kube-system/proxy"),
        ({"container": "agent"}, "container agent"),
        ({"container": "agent-of-proxy", "label": "app=proxy"}, "pod kube-system/proxy"),
        ({"container": "joiner"}, "container joiner"),
    ],
)
def test_what_shares_the_hosts_network_is_not_chosen_and_is_named(entry: Dict[str, str], who: str) -> None:
    with pytest.raises(NoSuchSource, match=f"{who} shares the host's network, whose settings are the host's"):
        names(entry)
    everything = [{"container": "*"}, {"pod": "*/*"}]
    chosen = [source.owner.name for source in select(census(), everything)]
    assert chosen == ["jobs/batch", "prod/gate-1", "prod/gate-2", "teapot", "web"]
    assert [problem.subject for problem in left_out(census(), everything)] == [
        "container agent",
        "container joiner",
        "pod kube-system/proxy",
    ]
    assert [problem.subject for problem in left_out(census(), [entry])] == [who]
    assert left_out(census(), [{"pod": "prod/*"}]) == []


def test_labels_that_could_not_be_read_are_no_missing_labels() -> None:
    unread = [ContainerRecord("podman", WEB, "web", pid=200)]
    with pytest.raises(NoSuchSource, match="with the labels none; the labels of container web could not be read"):
        select(census(unread), [{"label": "app"}])


def test_a_long_list_is_cut() -> None:
    many = [ContainerRecord("docker", f"{number:064}", f"c{number:03}", pid=200) for number in range(50)]
    with pytest.raises(NoSuchSource) as failure:
        select(census(many), [{"label": "app"}])
    assert "c019 and 30 more could not be read" in str(failure.value)
    assert "c020" not in str(failure.value)
