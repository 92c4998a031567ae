# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of new pods and containers: from what is asked for to a plan for each stack, and from that to files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.mtu_seen import network_in_force, pods_have_ipv6
from .._config.mtu_stacks import KUBERNETES, find_stacks, plan_stacks
from .._config.reading import under
from .._facts.connection import default_link_mtu
from .._model.docker_network import KERNEL_MTU
from .._model.file_change import FileChange, FileText
from .._model.mtu_config import MtuWish, Stack, StackPlan
from .dockerd import dockerd_version, validated
from .file_resource import FileResource, file_target
from .journal import Change
from .resource import ChangeError
from .session import Session

AUTO = "auto"
GROUPS = ("kubernetes", "containers")
"""Words for those of the stacks found that give pods, or containers outside of Kubernetes, their MTU."""

SMALLEST = 68
"""RFC 791: what every link carries without fragmenting."""
SMALLEST_IPV6 = 1280
"""RFC 8200, section 5. Linux takes IPv6 from a link with less."""
LARGEST = 65535
"""Total Length of an IPv4 packet, RFC 791."""

_KIND = "file"


def _podman_mtu() -> Optional[int]:
    """Return what podman gives to containers without a setting; None where that depends on its release.

    netavark 1.16 and newer take the MTU of the default route's link, older ones and the CNI plugins leave it to the
    kernel (containers/netavark, release notes of 1.16.0).
    """
    return KERNEL_MTU if default_link_mtu() == KERNEL_MTU else None


UNSET: Mapping[Stack, Callable[[], Optional[int]]] = {
    Stack.DOCKER: lambda: KERNEL_MTU,
    Stack.NERDCTL: lambda: KERNEL_MTU,
    Stack.CNI: lambda: KERNEL_MTU,
    Stack.PODMAN: _podman_mtu,
}
"""What new containers get where nothing says what."""


@dataclass(frozen=True)
class PodsPlan:
    """What is to be done: the same object for check mode and for real."""

    stacks: Tuple[StackPlan, ...]

    @property
    def changes(self) -> List[FileChange]:
        """Return what is to be written, in order."""
        return [change for plan in self.stacks for change in plan.changes]

    def as_result(self) -> Dict[str, Any]:
        """Return what the module returns of it."""
        return {
            "changed": bool(self.changes),
            "written": [change.path for change in self.changes],
            "diff": [change.as_diff() for change in self.changes],
            "stacks": [plan.as_result() for plan in self.stacks],
        }


def plan_new_pods(wish: MtuWish, stacks: Sequence[str], root: str = "/") -> PodsPlan:
    """Return the plan. stacks: names, AUTO for all that the host has, or one of GROUPS for some of these.

    Bad input is a ValueError, and so is a stack that is named and can't do what is asked. Raises UnreadableFile.
    """
    check_wish(wish)
    found = find_stacks(root, wish)
    named = [Stack(name) for name in stacks if name != AUTO and name not in GROUPS]
    chosen = [*named, *(stack for stack in found if _asked_for(stack, stacks))]
    _check_belonging(wish, chosen)
    if any(stack in KUBERNETES for stack in chosen):
        _check_ipv6(wish, root)
    if Stack.DOCKER in chosen and wish.docker_version is None:
        wish = replace(wish, docker_version=dockerd_version())
    if Stack.PODMAN in chosen:
        wish = replace(wish, default_link_mtu=default_link_mtu())
    made = [needless(plan) if plan.stack not in named else plan for plan in plan_stacks(root, chosen, wish)]
    plans = [validated(plan, wish.docker_version) for plan in made]
    blocked = [f"{plan.stack.value}: {plan.reason}" for plan in plans if plan.blocked and plan.stack in named]
    if blocked:
        raise ValueError(f"stacks: nothing was written, because not all of it can be: {'; '.join(blocked)}")
    return PodsPlan(tuple(plans))


def needless(plan: StackPlan) -> StackPlan:
    """Return the plan without changes where containers get what is wanted also without a setting."""
    given = UNSET.get(plan.stack)
    if given is None or not plan.changes or not all(knob.before is None for knob in plan.knobs):
        return plan
    mtu = given()
    if mtu is None or not all(knob.after == mtu for knob in plan.knobs):
        return plan
    knobs = tuple(replace(knob, after=None) for knob in plan.knobs)
    reason = f"nothing has to be set: without a setting new containers get {mtu}"
    return replace(plan, knobs=knobs, changes=(), reason=reason, restart=None, keeping=())


def carry_out(plan: PodsPlan, session: Session, root: str = "/") -> None:
    """Write what the plan says, through the journal. Raises ChangeError; then what was written is taken back."""
    changes = []
    for change in plan.changes:
        target = file_target(under(root, change.path))
        if FileResource().read(target) != _plain(change.before):
            raise ChangeError(f"{change.path} was changed by somebody else meanwhile: run again")
        changes.append(Change(_KIND, target, _plain(change.before), _plain(change.after)))
    session.change_all(changes)


def check_wish(wish: MtuWish) -> None:
    """Raise ValueError for numbers that no network has, or that can't be true together."""
    given = {"underlay_mtu": wish.underlay_mtu, "pod_mtu": wish.pod_mtu, "container_mtu": wish.container_mtu}
    if all(mtu is None for mtu in given.values()):
        raise ValueError(f"none of {', '.join(given)} is given: name what new pods or containers are to get")
    for name, mtu in given.items():
        if mtu is not None and not SMALLEST <= mtu <= LARGEST:
            raise ValueError(f"{name}: {mtu} is no MTU of IP: {SMALLEST} to {LARGEST} bytes are allowed")
    if wish.pod_mtu and wish.underlay_mtu and wish.pod_mtu > wish.underlay_mtu:
        raise ValueError(
            f"pod_mtu: {wish.pod_mtu} is more than the network between the nodes carries (underlay_mtu "
            f"{wish.underlay_mtu}): at most that is allowed, less what the encapsulation takes"
        )


def _asked_for(stack: Stack, names: Sequence[str]) -> bool:
    group = GROUPS[0] if stack in KUBERNETES else GROUPS[1]
    return AUTO in names or group in names


def _check_belonging(wish: MtuWish, chosen: Sequence[Stack]) -> None:
    """Raise ValueError for an option that none of the chosen stacks has. Nothing chosen, nothing can be wrong."""
    owners = {
        "plugin": (wish.plugin, (Stack.RKE1, Stack.RKE2, Stack.K3S)),
        "rke1_cluster_file": (wish.rke1_cluster_file, (Stack.RKE1,)),
        "cni_file": (wish.cni_file, (Stack.CNI,)),
    }
    for name, (value, stacks) in owners.items():
        if value and chosen and not any(stack in stacks for stack in chosen):
            allowed = ", ".join(stack.value for stack in stacks)
            asked = ", ".join(stack.value for stack in chosen)
            raise ValueError(f"{name}: {value} is an option of {allowed}, and this is about {asked}: leave it out")


def _check_ipv6(wish: MtuWish, root: str) -> None:
    for name, mtu in (("pod_mtu", wish.pod_mtu), ("underlay_mtu", wish.underlay_mtu)):
        if mtu is not None and mtu < SMALLEST_IPV6 and pods_have_ipv6(root, network_in_force(root)):
            raise ValueError(
                f"{name}: {mtu} is too small, because pods of this node have IPv6 addresses: at least {SMALLEST_IPV6} "
                "bytes are needed, with less Linux takes IPv6 from the link"
            )


def _plain(file: Optional[FileText]) -> Optional[Dict[str, Any]]:
    return file.as_fact() if file is not None else None
