# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook remediate with real ansible-playbook, on recorded facts; what changes MTUs only writes it down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from ansible_collections.netfit.cluster.tests.unit import builders as b

Play = Callable[..., subprocess.CompletedProcess[str]]
RAISE = ("-e", "netfit_probe=none", "-e", "netfit_raise=true", "-e", "netfit_underlay_mtu=9001")
TAGS = ("--tags", "mtu,live,cni,runtime", "-e", f"ansible_python_interpreter={sys.executable}")
OWN, PODS, NEW_PODS, NEW_CONTAINERS = "own links", "pods", "new pods", "new containers"


def small_pods(large: str = "") -> Dict[str, Any]:
    """Three nodes on 9001 whose overlay and pods have 1450; the pod of one of them has 9001."""
    hosts = {}
    for number in (1, 2, 3):
        size, inode = 9001 if large == f"n{number}" else 1450, 9000 + number
        end = b.link("cali7", size, "veth", 7, peer=b.peer(inode, 3, "eth0", size))
        pod = b.pod_network(inode, b.pod(f"p{number}"), size, f"10.42.{number}.5/32", 7)
        own = b.node(number, nodes=3, underlay_mtu=9001, extra=[end])
        hosts[f"n{number}"] = b.facts([own, pod], [b.conflist(1450)])
    return hosts


def asked_for(directory: Path) -> List[Dict[str, Any]]:
    file = directory / "changed.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def changes(directory: Path) -> List[Tuple[str, str, List[int]]]:
    """What was asked for, in its order: the host, what it was, and the MTUs."""
    asked = asked_for(directory)
    return [(one["host"], _what(one), sorted({link["mtu"] for link in one.get("links", [])})) for one in asked]


def _what(asked: Dict[str, Any]) -> str:
    if asked["module"] == "link_mtu":
        return OWN if asked.get("guard", True) else PODS
    return NEW_CONTAINERS if "container_mtu" in asked else NEW_PODS


def test_links_of_pods_are_raised_after_the_hosts_own(play: Play, tmp_path: Path) -> None:
    done = play("remediate", small_pods(), *RAISE, *TAGS)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = changes(tmp_path)
    assert [one for one in asked if one[1] == OWN] == [(name, OWN, [8951]) for name in ("n1", "n2", "n3")]
    after = asked[3:]
    assert sorted(one for one in after if one[1] == PODS) == [(name, PODS, [8951]) for name in ("n1", "n2", "n3")]
    assert {one[1] for one in after} == {PODS, NEW_PODS, NEW_CONTAINERS}
    assert "Not done" not in done.stdout
    # A pod may have ended since the plan was made; a host's own link is there.
    assert {(_what(one), one.get("gone", "fail")) for one in asked_for(tmp_path) if one["module"] == "link_mtu"} == {
        (PODS, "skip"),
        (OWN, "fail"),
    }


def test_nothing_is_raised_on_any_host_after_one_had_to_undo_its_own(play: Play, tmp_path: Path) -> None:
    done = play("remediate", small_pods(large="n3"), *RAISE, *TAGS, variables={"n2": {"undoes": True}})
    assert done.returncode == 2, done.stdout
    assert changes(tmp_path) == [("n3", PODS, [8951]), ("n1", OWN, [8951]), ("n2", OWN, [8951])]
    said = " ".join(done.stdout.split())
    assert "Not done on any host, because n2 had to undo a change of its links" in said, done.stdout
    assert "n2 cannot be reached. Everything was rolled back" in said
