# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU plans carried out on real links: the kernel takes every step in its order, and then packets pass."""

from __future__ import annotations

import errno
import socket
from typing import Any, Dict, Iterator, List, Tuple

import incident_path
import pytest
from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.filter.mtu_plan import mtu_plan
from ansible_collections.netfit.cluster.plugins.module_utils._facts.gather import gather
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import GatherOptions, Subset
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Direction, Limit, Verdict

Facts = Dict[str, Any]
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2
IP_AND_UDP = 28
NODES = {"n1": ("n1",), "n2": ("n2", "pod", "bridged")}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        incident_path.build(made)
        yield made


def facts(lab: Lab, carried: int) -> Dict[str, Facts]:
    """Facts of both nodes as network_facts would give them, and a measurement between them."""
    options = GatherOptions(frozenset({Subset.MTU}), sample_interval=0.0)
    found = {one["inode"]: one for one in gather(options)["netfit_mtu"]["namespaces"]}
    hosts = {}
    for host, names in NODES.items():
        spaces = []
        for name in names:
            kind = OwnerKind.HOST if name == host else OwnerKind.POD
            owner = Owner(kind, host if name == host else f"prod/{name}")
            spaces.append({**found[lab.inode(name)], "owner": as_plain(owner), "paths": [lab.path(name)]})
        hosts[host] = {"netfit_mtu": {"kernel": "", "namespaces": spaces, "declared": [], "problems": []}}
    way = as_plain(Direction(Verdict.OK, carried, carried, carried, Limit.LINK))
    end = {"host": "n2", "owner": as_plain(Owner(OwnerKind.HOST, "n2"))}
    path = {"family": "ipv4", "forward": way, "back": way, "about": {"class": "host-host", "peer": end}}
    hosts["n1"]["netfit_assessment"] = {"paths": [path]}
    return hosts


def carry_out(lab: Lab, plan: Facts) -> List[Tuple[str, str, int]]:
    """Do every step with ip(8), in the order of the plan; the kernel's refusal of one fails the test."""
    names = {lab.path(name): lab.name(name) for each in NODES.values() for name in each}
    done = []
    for host, one in plan["hosts"].items():
        for step in one["steps"]:
            namespace = names[step["namespace"]] if "namespace" in step else lab.name(host)
            run("ip", "-n", namespace, "link", "set", "dev", step["link"], "mtu", str(step["mtu"]))
            done.append((namespace.rpartition("-")[2], step["link"], step["mtu"]))
    return done


def passes(lab: Lab, size: int) -> bool:
    """Whether an IP packet of that many bytes gets from the pod to the client with its don't-fragment bit set."""
    receiver = lab.inside("client", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender = lab.inside("pod", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with receiver, sender:
        receiver.bind((incident_path.CLIENT, 9))
        receiver.settimeout(0.5)
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        for _attempt in range(5):
            try:
                sender.sendto(bytes(size - IP_AND_UDP), (incident_path.CLIENT, 9))
                return len(receiver.recv(65535)) == size - IP_AND_UDP
            except socket.timeout:
                continue
            except OSError as error:
                assert error.errno == errno.EMSGSIZE
                return False
    return False


def test_a_plan_is_carried_out_on_real_links_and_is_empty_then(lab: Lab) -> None:
    lab.ip("router", "link set r0 mtu 1400", "link set r1 mtu 1400")
    lab.ip("n1", "link set eth1 mtu 1500")
    plan = mtu_plan(facts(lab, 1400), uplinks="lower")
    assert carry_out(lab, plan) == [
        ("n1", "flannel.1", 1350),
        ("n1", "eth1", 1400),
        ("bridged", "eth0", 1350),
        ("n2", "veth2", 1350),
        ("pod", "eth0", 1350),
        ("n2", "cali1", 1350),
        ("n2", "cni0", 1350),
        ("n2", "flannel.1", 1350),
        ("n2", "eth0", 1400),
    ]
    assert mtu_plan(facts(lab, 1400), uplinks="lower")["cluster"]["changes"] == 0
    assert passes(lab, 1350)
    assert not passes(lab, 1351)


def test_raising_from_the_bottom_up_is_what_the_kernel_takes(lab: Lab) -> None:
    carry_out(lab, mtu_plan(facts(lab, 1400), uplinks="lower"))
    raised = {"raise": True, "uplinks": 1500}
    plan = mtu_plan(facts(lab, 1400), **raised)
    assert [one["level"] for one in plan["hosts"]["n2"]["steps"]] == ["uplink"]
    carry_out(lab, plan)
    done = carry_out(lab, mtu_plan(facts(lab, 1500), **raised))
    assert done[0] == ("n1", "flannel.1", 1450)
    assert next(link for name, link, _mtu in done if name == "n2") == "flannel.1"
    assert mtu_plan(facts(lab, 1500), **raised)["cluster"]["changes"] == 0
    assert passes(lab, 1450)
