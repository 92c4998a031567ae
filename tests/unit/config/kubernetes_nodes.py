# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up nodes of each stack of Kubernetes, for tests of what is found and planned there."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

DATA = Path(__file__).resolve().parent.parent / "data" / "mtu-kubernetes"
STACKS = {
    "rke1": Stack.RKE1,
    "rke2-canal": Stack.RKE2,
    "rke2-calico": Stack.RKE2,
    "rke2-flannel": Stack.RKE2,
    "rke2-cilium": Stack.RKE2,
    "k3s": Stack.K3S,
}
CASES = [(system, variant) for system in STACKS for variant in ("fresh", "right", "edited")]
CLUSTER_FILE = "/srv/cluster.yml"
# What the chart's or the cluster's configuration has to say afterwards.
VALUES = {
    "rke2-canal": {"calico.vethuMTU": 1400, "flannel.mtu": 1450},
    "rke2-calico": {"installation.calicoNetwork.mtu": 1400},
    "rke2-flannel": {"flannel.mtu": 1450},
    "rke2-cilium": {"MTU": 1450},
    "rke1": {"network.mtu": 1400},
    "k3s": {"Backend.MTU": 1450},
}


def texts(root: Path) -> Dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {f"/{path.relative_to(root)}": path.read_bytes().decode() for path in found}


def plan(root: Path, system: str, underlay: int = 1450, pod: int = 1400) -> StackPlan:
    file = CLUSTER_FILE if system == "rke1" else None
    made = plan_stack(str(root), STACKS[system], MtuWish(underlay, pod, rke1_cluster_file=file))
    assert not made.blocked, made.reason
    return made


def carry_out(root: Path, made: StackPlan) -> None:
    for change in made.changes:
        path = root / change.path.lstrip("/")
        assert (change.before.text if change.before else None) == (path.read_text() if path.exists() else None)
        assert change.after is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change.after.text)
