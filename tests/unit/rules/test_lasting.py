# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names a finding while its workload lasts: new pods have it, other workloads and hosts don't."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.lasting import lasting_key


def finding(kind: str = "pod", name: str = "prod/gateway", host: str = "n2", **target: Any) -> Dict[str, Any]:
    owner = {"kind": kind, "name": name, "pod": name.partition("/")[2] or None, "pod_namespace": "prod"}
    return {"id": "MTU-001", "target": {"host": host, "scope": kind, "owner": owner, "link": "eth0", **target}}


SAME = [
    ("pod", "prod/gateway-7d9f8b6c5d-x2k4q", "prod/gateway-5c6b8f9d7-p9wzt"),
    ("pod", "kube-system/canal-x2k4q", "kube-system/canal-p9wzt"),
    ("pod", "prod/report-29384710-x2k4q", "prod/report-29384770-p9wzt"),
    ("container", "web.1.k2x9v1q0z3m4n5b6c7d8f9g0h", "web.1.a2x9v1q0z3m4n5b6c7d8f9g0h"),
    (
        "unknown",
        "/run/netns/cni-0121b99e-0a93-e0e5-02ea-c0c5aecdf620",
        "/run/netns/cni-1121b99e-0a93-e0e5-02ea-c0c5aecdf621",
    ),
]
OTHERS = [
    ("pod", "prod/gateway-7d9f8b6c5d-x2k4q", "prod/door-7d9f8b6c5d-x2k4q"),
    ("pod", "prod/redis-0", "prod/redis-1"),
    ("container", "shop-web-1", "shop-web-2"),
    ("host", "pool-x2k4q", "pool-p9wzt"),
]


@pytest.mark.parametrize(("kind", "then", "now"), SAME)
def test_what_is_made_anew_keeps_its_findings(kind: str, then: str, now: str) -> None:
    assert lasting_key(finding(kind, then)) == lasting_key(finding(kind, now)) != lasting_key(finding(kind, "prod/a"))


@pytest.mark.parametrize(("kind", "one", "other"), OTHERS)
def test_others_have_their_own(kind: str, one: str, other: str) -> None:
    assert lasting_key(finding(kind, one)) != lasting_key(finding(kind, other))


def test_so_have_other_hosts_links_and_rules() -> None:
    own = lasting_key(finding())
    assert own != lasting_key(finding(host="n3")) and own != lasting_key(finding(link="eth1"))
    assert own != lasting_key({**finding(), "id": "MTU-002"})
    assert lasting_key(finding(link="veth12ab34c")) == lasting_key(finding(link="veth99ab34c"))


def test_of_the_far_end_of_a_path_the_pod_counts_by_its_workload_and_the_host_by_its_name() -> None:
    def towards(peer: str) -> str:
        return lasting_key(finding("host", "n1", peer=peer))

    assert towards("pod prod/a-7d9f8b6c5d-x2k4q on n2") == towards("pod prod/a-5c6b8f9d7-p9wzt on n2")
    assert towards("pod prod/a-7d9f8b6c5d-x2k4q on n2") != towards("pod prod/a-7d9f8b6c5d-x2k4q on n3")
    assert towards("pool-x2k4q") != towards("pool-p9wzt")
