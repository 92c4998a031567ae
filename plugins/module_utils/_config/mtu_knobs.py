# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From the three MTUs that are asked for to the number that a knob wants, by what the knob means."""

from __future__ import annotations

from typing import Dict, Optional

from .._model.mtu_config import MtuWish
from .drop_ins import Blocked

MARK = "# Written by netfit.cluster.cni_mtu; what is changed here is lost with its next run."

FLANNEL_OVERHEAD: Dict[str, int] = {"vxlan": 50, "wireguard": 80}
"""Bytes that flannel subtracts from Backend.MTU, for IPv4 and IPv6 underlays alike: v0.28 pkg/backend/vxlan/device.go,
pkg/backend/wireguard/wireguard_network.go. Its other backends take no notice of Backend.MTU."""

RIGHT = "new pods of this node get it already, and nothing says otherwise"
RECREATE = (
    "# then, for each namespace, what clients reach first: its pods get the new MTU when they are made anew",
    "kubectl --namespace NAMESPACE rollout restart deployment",
    "kubectl --namespace NAMESPACE rollout restart statefulset",
    "kubectl --namespace NAMESPACE rollout restart daemonset",
)
PODS_KEEP = (
    "Pods that run keep their MTU until they are made anew, and connections that are open keep their segment size "
    "until they are closed; the playbook's tag 'live' lowers the links of pods that run meanwhile."
)


def underlay_for(wish: MtuWish, knob: str) -> int:
    """Return the MTU of the network between the nodes, in bytes. Raises Blocked where it is not given."""
    if wish.underlay_mtu is None:
        raise Blocked(f"underlay_mtu: it is not given, and {knob} wants the MTU of the network between the nodes")
    return wish.underlay_mtu


def pod_for(wish: MtuWish, knob: str) -> int:
    """Return the MTU of pods, in bytes. Raises Blocked where it is not given."""
    if wish.pod_mtu is None:
        raise Blocked(f"pod_mtu: it is not given, and {knob} wants the final MTU of pods, overhead already subtracted")
    return wish.pod_mtu


def flannel_for(wish: MtuWish, backend: str, knob: str) -> int:
    """Return what flannel has to be told, in bytes: the underlay's MTU, or less where pods are to have less.

    backend: a key of FLANNEL_OVERHEAD. flannel subtracts 50 for VXLAN also where IPv6 carries it and 70 are taken: only
    a smaller number gives pods what fits. Raises Blocked, also where flannel would give pods less than they are to
    have.
    """
    underlay = underlay_for(wish, knob)
    overhead = FLANNEL_OVERHEAD[backend]
    if wish.pod_mtu is None:
        return underlay
    if wish.pod_mtu > underlay - overhead:
        raise Blocked(
            f"pod_mtu: {wish.pod_mtu} is more than flannel's {backend} carries: {underlay - overhead}, which is "
            f"underlay_mtu {underlay} less {overhead}"
        )
    return wish.pod_mtu + overhead


def whole_number(text: Optional[str], where: str) -> Optional[int]:
    """Return the MTU that a file has, None for none and for 0, "found by the stack". Raises Blocked for other text."""
    if text is None or not text.strip():
        return None
    if not text.strip().isdecimal():
        raise Blocked(f"{where} is {text!r} and no whole number: correct it by hand")
    return int(text) or None
