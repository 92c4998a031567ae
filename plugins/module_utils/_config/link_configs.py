# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Making the MTU of links last: a plan for each, by whoever configures it."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence, Tuple

from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine
from . import ifcfg, ifupdown, netplan, network_manager, networkd
from .drop_ins import Blocked
from .networkd import links_of_file
from .planned_files import PlannedFiles
from .reading import UnreadableFile, list_directory, read_text

INTERFACES = "/sys/class/net"
_DECLARED: Dict[LinkManager, Callable[[PlannedFiles, LinkOwner], Optional[MtuLine]]] = {
    LinkManager.NETWORKD: networkd.declared_mtu,
    LinkManager.NETPLAN: netplan.declared_mtu,
    LinkManager.NETWORK_MANAGER: network_manager.declared_mtu,
    LinkManager.IFUPDOWN: ifupdown.declared_mtu,
    LinkManager.IFCFG: ifcfg.declared_mtu,
    LinkManager.WICKED: ifcfg.declared_mtu,
}


def plan_link_configs(root: str, wishes: Sequence[Tuple[LinkOwner, int]]) -> List[LinkConfigPlan]:
    """Return a plan for each link with the MTU (bytes) that it is to have, in their order.

    All links of a run belong into one call: several may be in one file, whose second change begins where the first
    ends, and one file may be for several links. Raises nothing: what can't be read or understood blocks that plan.
    """
    files = PlannedFiles(root)
    wanted = {owner.link: mtu for owner, mtu in wishes}
    return [_plan(files, owner, mtu, wanted) for owner, mtu in wishes]


def plan_link_config(root: str, owner: LinkOwner, mtu: int) -> LinkConfigPlan:
    """Return the plan for a single link, see plan_link_configs()."""
    return plan_link_configs(root, [(owner, mtu)])[0]


def declared_mtu(root: str, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that the owner's files set for a link. Raises UnreadableFile, Blocked."""
    return _DECLARED[owner.manager](PlannedFiles(root), owner) if owner.manager is not None else None


def interfaces(root: str) -> Dict[int, str]:
    """Return the host's links by index. Raises UnreadableFile."""
    found = {}
    for name in list_directory(root, INTERFACES):
        index = (read_text(root, f"{INTERFACES}/{name}/ifindex") or "").strip()
        if index.isdecimal():
            found[int(index)] = name
    return found


def _plan(files: PlannedFiles, owner: LinkOwner, mtu: int, wanted: Dict[str, int]) -> LinkConfigPlan:
    before: Optional[MtuLine] = None
    planned = files.planned()
    try:
        before = _DECLARED[owner.manager](files, owner) if owner.manager is not None else None
        return _plan_of_manager(files, owner, mtu, wanted)
    except (Blocked, UnreadableFile) as error:
        files.take_back(planned)
        return LinkConfigPlan(owner, mtu, before.mtu if before else None, blocked=str(error))


def _plan_of_manager(files: PlannedFiles, owner: LinkOwner, mtu: int, wanted: Dict[str, int]) -> LinkConfigPlan:
    if owner.manager is LinkManager.NETWORKD:
        return networkd.plan_networkd(files, owner, mtu, _others(files.root, owner.files[0], mtu, wanted))
    if owner.manager is LinkManager.NETPLAN:
        generated = owner.generated if owner.backend is LinkManager.NETWORKD else None
        others = _others(files.root, generated, mtu, wanted) if generated else []
        return netplan.plan_netplan(files, owner, mtu, others)
    if owner.manager is LinkManager.NETWORK_MANAGER:
        return network_manager.plan_network_manager(files, owner, mtu)
    if owner.manager is LinkManager.IFUPDOWN:
        return ifupdown.plan_ifupdown(files, owner, mtu)
    if owner.manager in (LinkManager.IFCFG, LinkManager.WICKED):
        return ifcfg.plan_ifcfg(files, owner, mtu)
    return LinkConfigPlan(owner, mtu, blocked=f"{owner.evidence}; the MTU lasts until the link or the host restarts")


def _others(root: str, file: str, mtu: int, wanted: Dict[str, int]) -> List[str]:
    """Return the links that networkd configures by the same file, and that are not to get the same MTU."""
    names = interfaces(root)
    sharing = [names[index] for index in links_of_file(root, file) if index in names]
    return sorted(name for name in sharing if wanted.get(name) != mtu)
