# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that a host's files have: what they say now, and what they should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ...module_utils._model.owner import OwnerKind
from .._rules.drift import LINK_MANAGERS
from .._rules.overlay import CLUSTER_STACKS
from .._rules.view import DeclaredView, HostView
from .knobs import BY_NAME, Sizes, value_for
from .live import Member
from .overlays import Overlay
from .targets import Targets

KERNEL_DEFAULT = 1500
"""What veth devices get when nobody says otherwise: Linux include/uapi/linux/if_ether.h ETH_DATA_LEN."""
GENERATED = ("/run/flannel/subnet.env", "/var/lib/calico/mtu")
"""Files that a daemon writes by itself: what they say follows from another setting."""
K3S = "/var/lib/rancher/k3s/"
BY_API = ("canal", "calico", "cilium", "flannel")
"""Stacks whose settings are objects of the Kubernetes API, unless their distribution reads them from a file."""
UNDECLARED = (
    ("flannel", "canal", "Canal veth_mtu"),
    ("vxlan.calico", "calico", "Calico veth_mtu"),
    ("tunl0", "calico", "Calico veth_mtu"),
)
"""Overlay device by the beginning of its name: who makes new pods where no file says so, and its setting."""
OF_RUNTIME = {"docker": "Docker daemon mtu", "podman": "Podman network mtu"}


@dataclass(frozen=True)
class Setting:
    """A setting on a host. knob: name of it in the table. now: None where nothing says. value: what it should be.

    file: where it was read with line and key; None where nothing says.
    """

    stack: str
    knob: str
    now: Optional[int]
    value: int
    file: Optional[str]
    by_api: bool

    @property
    def changes(self) -> bool:
        """Whether it has to be changed."""
        return self.now != self.value

    def as_result(self) -> Dict[str, Any]:
        """Return it as plain values."""
        return {
            "stack": self.stack,
            "knob": self.knob,
            "meaning": BY_NAME[self.knob].meaning.value,
            "now": self.now,
            "value": self.value,
            "file": self.file,
        }


def sizes_of(targets: Targets) -> Sizes:
    """Return the sizes that the settings of a host follow from.

    A device on the way that stays smaller than the underlay allows counts as taking more.
    """
    return Sizes(targets.underlay, targets.container, targets.encapsulation, targets.underlay - targets.pod)


def find_settings(
    host: HostView, found: Sequence[Member], overlays: Sequence[Overlay], targets: Targets
) -> List[Setting]:
    """Return the settings that the files of a host have, and those that they lack although the default does not do."""
    settings = []
    for one in host.declared:
        knob = _knob(one, bool(overlays)) if one.active and one.value > 0 and one.path not in GENERATED else None
        if knob is not None:
            wanted = targets.clamp(one.value, value_for(knob, sizes_of(targets)))
            settings.append(Setting(one.stack, knob, one.value, wanted, one.source, _by_api(one)))
    settings.extend(_undeclared(host, found, targets, settings))
    return settings


def _knob(one: DeclaredView, overlay: bool) -> Optional[str]:
    """Which setting of the table a declaration is; None for a link of the host's own."""
    if one.stack in LINK_MANAGERS:
        return None
    if one.meaning == "underlay":
        k3s = "K3s flannel net-conf.json Backend.MTU" if (one.path or "").startswith(K3S) else "flannel Backend.MTU"
        known = {"flannel": k3s, "cilium": "Cilium mtu", "docker": "Docker overlay network driver.mtu"}
        return known.get(one.stack)
    if one.meaning != "interface":
        return None
    if one.stack == "docker":
        return _docker(one)
    known = {"canal": "Canal veth_mtu", "calico": "Calico veth_mtu", "weave": "Weave WEAVE_MTU"}
    tools = {"podman": "Podman network mtu", "nerdctl": "nerdctl network mtu"}
    if one.stack in ("flannel", "cni") and overlay:
        return "Canal veth_mtu"
    return {**known, **tools}.get(one.stack, "CNI plugin mtu")


def _docker(one: DeclaredView) -> str:
    if "default-network-opts" in one.source:
        return "Docker default-network-opts bridge"
    return "Docker daemon mtu" if one.link == "docker0" else "Docker bridge network driver.mtu"


def _by_api(one: DeclaredView) -> bool:
    return one.stack in BY_API and not (one.path or "").startswith((K3S, "/etc/rancher/"))


def _undeclared(
    host: HostView, found: Sequence[Member], targets: Targets, settings: Sequence[Setting]
) -> List[Setting]:
    """Where nothing is said, new pods and containers get the kernel's default: too much, or less than it is raised
    to."""
    missing: List[Tuple[str, str, bool]] = []
    pods = any(member.network.owner.kind is OwnerKind.POD for member in found)
    told = any(one.stack in CLUSTER_STACKS and BY_NAME[one.knob].meaning.value == "final" for one in settings)
    generated = any(one.active and one.path in GENERATED[1:] for one in host.declared)
    if pods and not told and targets.overlay is not None and not _follows(host):
        device = targets.overlay.device.name
        stacks = [(stack, knob) for start, stack, knob in UNDECLARED if device.startswith(start)]
        missing.extend((stack, knob, True) for stack, knob in stacks[:1] if stack != "calico" or not generated)
    values = [(stack, knob, api, value_for(knob, sizes_of(targets))) for stack, knob, api in missing]
    values += [(stack, knob, False, value) for stack, knob, value in _runtimes(found, targets, settings)]
    return [
        Setting(stack, knob, None, value, None, api)
        for stack, knob, api, value in values
        if targets.clamp(KERNEL_DEFAULT, value) != KERNEL_DEFAULT
    ]


def _runtimes(found: Sequence[Member], targets: Targets, settings: Sequence[Setting]) -> List[Tuple[str, str, int]]:
    """Settings of container runtimes that have containers here, and of which no file says anything."""
    containers = [member for member in found if member.network.owner.kind is OwnerKind.CONTAINER]
    told = {one.knob for one in settings}
    missing: Dict[str, Tuple[str, str, int]] = {}
    for member in containers:
        runtime, overlay = member.network.owner.runtime, member.overlay
        if runtime == "docker" and overlay is not None:
            sizes = Sizes(targets.underlay, targets.container, overlay.tunnel.kind, overlay.reserve)
            knob = "Docker overlay network driver.mtu"
            missing[knob] = (runtime, knob, value_for(knob, sizes))
        elif runtime in OF_RUNTIME and overlay is None:
            knob = OF_RUNTIME[runtime]
            missing[knob] = (runtime, knob, value_for(knob, sizes_of(targets)))
    return [entry for knob, entry in sorted(missing.items()) if knob not in told]


def _follows(host: HostView) -> bool:
    """Whether new pods get what flannel found: its own plugin makes them on a bridge."""
    home = host.host_network
    bridge = home.link("cni0") if home is not None else None
    return bridge is not None and bridge.up
