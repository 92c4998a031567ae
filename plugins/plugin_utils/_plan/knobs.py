# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are called "mtu", and the value that each needs in its own meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Dict, Tuple


class Meaning(Enum):
    """What a setting's number stands for.

    UNDERLAY: the network below; the stack subtracts what it takes the overhead to be. FINAL: the packets of a pod,
    overhead already subtracted. CONTAINER: the interfaces of containers behind a plain bridge.
    """

    UNDERLAY = "underlay"
    FINAL = "final"
    CONTAINER = "container"


@dataclass(frozen=True)
class Knob:
    """A setting. name: stack and setting, in the stack's own words. subtracts: whose arithmetic, for UNDERLAY.

    restart: what makes its stack read it anew, in words.
    """

    name: str
    meaning: Meaning
    restart: str
    subtracts: str = ""


@dataclass(frozen=True)
class Sizes:
    """Bytes. underlay: of the network between the nodes. container: behind a plain bridge.

    encapsulation: kind of tunnel, or none. reserve: what it takes from the underlay.
    """

    underlay: int
    container: int
    encapsulation: str = "none"
    reserve: int = 0

    @property
    def final(self) -> int:
        """The largest packet of a pod."""
        return self.underlay - self.reserve


FLANNEL: Dict[str, int] = {"vxlan": 50, "wireguard": 80, "ipip": 20}
"""flannel v0.28 pkg/backend: the same for both families of the underlay."""
DOCKER: Dict[str, int] = {"vxlan": 50}
"""moby daemon/libnetwork/drivers/overlay: the same for both families of the underlay."""
SUBTRACTS: Dict[str, Dict[str, int]] = {"flannel": FLANNEL, "docker": DOCKER}
"""Bytes that stacks take off by themselves, by kind of tunnel. One that is not here takes off what is right."""

KUBECTL = "kubectl -n kube-system rollout restart daemonset"
RECREATE = "then recreate the workloads"
KNOBS: Tuple[Knob, ...] = (
    Knob("RKE1 cluster.yml network.mtu", Meaning.FINAL, f"rke up, {KUBECTL} of the network, {RECREATE}"),
    Knob("RKE2 rke2-canal calico.vethuMTU", Meaning.FINAL, f"{KUBECTL} rke2-canal, {RECREATE}"),
    Knob("RKE2 rke2-canal flannel.mtu", Meaning.UNDERLAY, f"{KUBECTL} rke2-canal, {RECREATE}", "flannel"),
    Knob("RKE2 rke2-flannel flannel.mtu", Meaning.UNDERLAY, f"{KUBECTL} kube-flannel-ds, {RECREATE}", "flannel"),
    Knob("RKE2 rke2-calico installation.calicoNetwork.mtu", Meaning.FINAL, f"the operator does it, {RECREATE}"),
    Knob("RKE2 rke2-cilium MTU", Meaning.UNDERLAY, f"{KUBECTL} cilium, {RECREATE}", "cilium"),
    Knob("K3s flannel net-conf.json Backend.MTU", Meaning.UNDERLAY, f"restart k3s or k3s-agent, {RECREATE}", "flannel"),
    Knob("flannel Backend.MTU", Meaning.UNDERLAY, f"restart the flannel daemon set, {RECREATE}", "flannel"),
    Knob("Canal veth_mtu", Meaning.FINAL, f"{KUBECTL} canal, {RECREATE}"),
    Knob("Calico veth_mtu", Meaning.FINAL, f"{KUBECTL} calico-node, {RECREATE}"),
    Knob("Calico operator calicoNetwork.mtu", Meaning.FINAL, f"the operator does it, {RECREATE}"),
    Knob("Cilium mtu", Meaning.UNDERLAY, f"{KUBECTL} cilium, {RECREATE}", "cilium"),
    Knob("Weave WEAVE_MTU", Meaning.FINAL, f"{KUBECTL} weave-net, delete the bridge weave, {RECREATE}"),
    Knob("Antrea defaultMTU", Meaning.FINAL, f"{KUBECTL} antrea-agent, {RECREATE}"),
    Knob("Kube-OVN --mtu", Meaning.FINAL, f"{KUBECTL} kube-ovn-cni, {RECREATE}"),
    Knob("CNI plugin mtu", Meaning.CONTAINER, "none; new containers read it"),
    Knob("Docker daemon mtu", Meaning.CONTAINER, "restart docker, then the containers of the default network"),
    Knob("Docker default-network-opts bridge", Meaning.CONTAINER, "restart docker; networks made from then on have it"),
    Knob("Docker bridge network driver.mtu", Meaning.CONTAINER, "make the network again, with its containers"),
    Knob("Docker overlay network driver.mtu", Meaning.UNDERLAY, "make the network again, with its services", "docker"),
    Knob("Podman network mtu", Meaning.CONTAINER, "restart the containers of the network"),
    Knob("nerdctl network mtu", Meaning.CONTAINER, "restart the containers of the network"),
)
"""cni.dev plugins, flannel, calico, cilium, moby, netavark, rke, rke2-charts and k3s, each in its own repository."""
BY_NAME: Dict[str, Knob] = {knob.name: knob for knob in KNOBS}


def value_for(knob: str, sizes: Sizes) -> int:
    """Return the bytes that a setting needs for pods and containers to fit. Raises KeyError for an unknown name.

    A stack that subtracts less than its tunnel takes needs a smaller number for its underlay than the truth.
    """
    one = BY_NAME[knob]
    if one.meaning is Meaning.CONTAINER:
        return sizes.container
    if one.meaning is Meaning.FINAL:
        return sizes.final
    own = SUBTRACTS.get(one.subtracts, {}).get(sizes.encapsulation, sizes.reserve)
    return sizes.underlay - max(0, sizes.reserve - own)
