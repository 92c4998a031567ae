# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of the MTU of new pods and containers on a host, per stack: the plan, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple

from .declared import MtuMeaning
from .fact import Fact
from .file_change import FileChange, Restart


class Stack(Enum):
    """What gives new pods or containers their MTU. Distributions of Kubernetes come before what they consist of."""

    RKE1 = "rke1"
    RKE2 = "rke2"
    K3S = "k3s"
    CANAL = "canal"
    FLANNEL = "flannel"
    CALICO = "calico"
    CALICO_OPERATOR = "calico_operator"
    CILIUM = "cilium"
    CNI = "cni"
    DOCKER = "docker"
    PODMAN = "podman"
    NERDCTL = "nerdctl"


@dataclass(frozen=True)
class MtuWish:
    """What is asked for, in bytes; None where it isn't.

    underlay_mtu: what the network between the nodes carries. pod_mtu: the largest IP packet of a pod, the overlay's
    overhead already subtracted. container_mtu: the same for containers behind a plain bridge.
    plugin: the network plugin of RKE1 or RKE2 where its files don't say. *_file: as the host names it.
    docker_version: major and minor of dockerd, None where it isn't known.
    raising: whether networks of containers that give less get more, too. default_link_mtu: bytes that the link of the
    default route has, which newer podman gives to containers by itself; None where it isn't known.
    elsewhere: name of another server of RKE2 that has values for the network's chart in a file.
    """

    underlay_mtu: Optional[int] = None
    pod_mtu: Optional[int] = None
    container_mtu: Optional[int] = None
    plugin: Optional[str] = None
    rke1_cluster_file: Optional[str] = None
    cni_file: Optional[str] = None
    docker_version: Optional[Tuple[int, int]] = None
    raising: bool = False
    default_link_mtu: Optional[int] = None
    elsewhere: Optional[str] = None


@dataclass(frozen=True)
class Knob(Fact):
    """One setting. name: as the stack calls it, with what it is in. before: None where it is not set."""

    name: str
    meaning: MtuMeaning
    before: Optional[int]
    after: Optional[int]


@dataclass(frozen=True)
class ClusterPatch(Fact):
    """What only the owner of the cluster can do, by the Kubernetes API.

    file: name under which the patch is written beside the report; patch: its text, YAML of the given patch_type.
    resource: as kubectl names it, with its namespace. commands: all of them in their order, that which applies the
    patch among them; {file} stands for the path of the file.
    """

    name: str
    resource: str
    namespace: Optional[str]
    patch_type: str
    file: str
    patch: str
    commands: Tuple[str, ...]


@dataclass(frozen=True)
class StackPlan:
    """The plan for one stack.

    changes: files on this host; empty where nothing is to be written, and reason says why then, or what is noteworthy.
    blocked: what is wanted can't be had here, and reason says what a person can do about it.
    patches: what waits for the cluster's owner. restart: what makes the stack read the files anew. due: whether it
    needs to, also where no file changes, because what runs was started with something else.
    keeping: links that would keep their live MTU over it, and the MTU, in bytes, that they are to have before.
    running: what happens to pods and containers that run, and how long the files last. snippets: text for people to
    use, by what it is for. chart_config: file that has values for the network's chart already. cluster: the same text
    on all servers of a cluster, and another one on those of others; both empty where there is none.
    """

    stack: Stack
    found: bool = True
    knobs: Tuple[Knob, ...] = ()
    changes: Tuple[FileChange, ...] = ()
    reason: str = ""
    blocked: bool = False
    patches: Tuple[ClusterPatch, ...] = ()
    restart: Optional[Restart] = None
    due: bool = False
    keeping: Tuple[Tuple[str, int], ...] = ()
    running: str = ""
    snippets: Mapping[str, str] = field(default_factory=dict)
    chart_config: str = ""
    cluster: str = ""

    def as_result(self) -> Dict[str, Any]:
        """Return what the module says about this stack."""
        due = self.due or bool(self.changes)
        return {
            "stack": self.stack.value,
            "found": self.found,
            "knobs": [knob.as_fact() for knob in self.knobs],
            "written": [change.path for change in self.changes],
            "reason": self.reason,
            "blocked": self.blocked,
            "patches": [patch.as_fact() for patch in self.patches],
            "restart": self.restart.as_fact() if self.restart and due else None,
            "before_restart": [f"ip link set dev {link} mtu {mtu}" for link, mtu in self.keeping],
            "keeping": [{"link": link, "mtu": mtu} for link, mtu in self.keeping],
            "running": self.running,
            "snippets": dict(self.snippets),
            "chart_config": self.chart_config,
            "cluster": self.cluster,
        }
