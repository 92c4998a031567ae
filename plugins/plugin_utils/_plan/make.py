# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU plan of a cluster: a pure function of facts, measured paths and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .changes import Level, ordered
from .clusters import clusters
from .consequences import disruption, restarts, stays_broken, waits_for_owner
from .host_links import tunnel_changes, uplink_changes
from .hosts import LeftOut, PlanHost
from .knobs import KNOBS, value_for
from .live import Member, live_changes, members, route_changes
from .notes import notes
from .overlays import Overlay, overlays_in_use
from .settings import KERNEL_DEFAULT, Setting, find_settings, sizes_of
from .targets import Targets, find_targets
from .underlay import Underlay, find_underlay
from .wish import SMALLEST, SMALLEST_IPV6, PlanWish

NO_UNDERLAY = "its facts show no link that leads to other nodes: no default route, no overlay, no stated address"


def make_plan(hosts: Sequence[PlanHost], left_out: Sequence[LeftOut], wish: PlanWish) -> Dict[str, Any]:
    """Return the plan as plain values: hosts, cluster and not_planned. left_out: hosts without facts.

    Raises PlanError where what is asked for contradicts what was measured.
    """
    overlays = {host.name: overlays_in_use(host.view) for host in hosts}
    paths = [path for host in hosts for path in host.paths]
    by_name = {host.name: host for host in hosts}
    plans: Dict[str, Dict[str, Any]] = {}
    groups: List[Dict[str, Any]] = []
    missing = list(left_out)
    for names in clusters(hosts, overlays):
        found = {name: find_underlay(by_name[name], overlays[name], paths, names, wish) for name in names}
        underlays = {name: one for name, one in found.items() if one is not None}
        missing.extend(LeftOut(name, NO_UNDERLAY) for name in names if name not in underlays)
        if not underlays:
            continue
        targets = find_targets([by_name[name] for name in underlays], overlays, underlays, wish)
        too_small = {name: _too_small(by_name[name], targets[name]) for name in underlays}
        missing.extend(LeftOut(name, why) for name, why in too_small.items() if why is not None)
        good = [name for name in underlays if too_small[name] is None]
        known = {name: _find(by_name[name], overlays[name], underlays[name], targets[name]) for name in good}
        asked = _asked(list(known.values()))
        plans.update({name: _host_plan(known[name], asked[name], wish) for name in good})
        if good:
            groups.append(_group(good, targets, underlays))
    return {
        "hosts": {name: plans[name] for name in sorted(plans)},
        "cluster": {"groups": groups, **_summary(plans)},
        "not_planned": [{"host": one.host, "reason": one.reason} for one in sorted(missing, key=lambda one: one.host)],
    }


def _too_small(host: PlanHost, targets: Targets) -> Optional[str]:
    """IPv6 does not work on a link below its minimum; nor does IPv4, far below."""
    home = host.view.networks
    six = any(
        ":" in address and not address.lower().startswith("fe80")
        for network in home
        if not network.is_host
        for link in network.links
        if link.kind != "loopback"
        for address, _length in link.addresses
    )
    least = SMALLEST_IPV6 if six else SMALLEST
    if targets.pod >= least:
        return None
    family = "IPv6" if six else "IPv4"
    return f"pods would get {targets.pod}, and {family} needs {least}: the network below has to carry more"


@dataclass(frozen=True)
class Known:
    """What there is on a host, and what it is to have."""

    host: PlanHost
    overlays: Sequence[Overlay]
    underlay: Underlay
    targets: Targets
    members: Sequence[Member]
    settings: Sequence[Setting]

    def present(self, meaning: str) -> List[int]:
        """Return the sizes that settings of that meaning have now, and pods for want of a setting of theirs."""
        sizes = [one.now for one in self.settings if one.now is not None and one.as_result()["meaning"] == meaning]
        pods = [one.link.mtu for one in self.members if one.packet == one.fits == self.targets.pod]
        return [*sizes, *(pods if meaning == "final" else [])]


def _find(host: PlanHost, overlays: Sequence[Overlay], underlay: Underlay, targets: Targets) -> Known:
    found = members(host.view, overlays, targets)
    return Known(host, overlays, underlay, targets, found, find_settings(host.view, found, overlays, targets))


def _asked(known: Sequence[Known]) -> Dict[str, Dict[str, Any]]:
    """By host, what module cni_mtu is to be asked for.

    Of pods: as much as fits, but no more than there is unless things are raised. What there is counts for the whole
    cluster: a node without pods gets no larger ones than the others, and where no node has any, plain routes carry no
    more than what pods get by default. Of the underlay a node's own setting counts first: K3s has one on each.
    Of containers: what fits, to which each of their networks is lowered by itself; one that gives less stays as it is,
    unless "raise" says otherwise.
    """
    present = {meaning: [size for one in known for size in one.present(meaning)] for meaning in ("underlay", "final")}
    return {
        one.host.name: {
            "underlay_mtu": one.targets.clamp(
                max(one.present("underlay") or present["underlay"], default=None),
                value_for("flannel Backend.MTU", sizes_of(one.targets)),
            ),
            "pod_mtu": one.targets.clamp(
                max(present["final"], default=KERNEL_DEFAULT if one.targets.overlay is None else None), one.targets.pod
            ),
            "container_mtu": one.targets.container,
            "raise": one.targets.raising,
        }
        for one in known
    }


def _host_plan(known: Known, asked: Dict[str, Any], wish: PlanWish) -> Dict[str, Any]:
    view, underlay, targets, settings = known.host.view, known.underlay, known.targets, known.settings
    live = live_changes(view, known.members, targets)
    tunnels = tunnel_changes(view, known.overlays, targets)
    uplinks = uplink_changes(view, underlay, wish)
    routes = [route for route in route_changes(view, known.members, targets) if route.enterable]
    wanted = [*live, *tunnels, *uplinks]
    steps = ordered(step for step in wanted if step.enterable)
    done = [step.as_result() for step in steps if step.level in (Level.PAIR, Level.BRIDGE)]
    return {
        "underlay": underlay.as_fact(),
        "underlay_mtu": targets.underlay,
        "cluster_underlay_mtu": targets.underlay,
        "encapsulation": targets.encapsulation,
        "family": targets.overlay.tunnel.underlay_family if targets.overlay is not None else None,
        "overhead": targets.overhead,
        "pod_mtu": targets.pod,
        "container_mtu": targets.container,
        "wish": asked,
        "live": done,
        "tunnels": [step.as_result() for step in steps if step.level is Level.TUNNEL],
        "uplinks": [step.as_result() for step in steps if step.level is Level.UPLINK],
        "steps": [step.as_step() for step in steps],
        "routes": [route.as_result() for route in routes],
        "knobs": [one.as_result() for one in settings],
        "restarts": restarts(settings),
        "disruption": disruption(steps, routes, settings),
        "stays_broken": stays_broken(steps, routes),
        "notes": notes(view, underlay, targets, wanted, settings, wish),
        "waits_for_owner": waits_for_owner(settings),
        "changes": len(steps) + len(routes) + sum(1 for one in settings if one.changes),
    }


def _group(names: Sequence[str], targets: Mapping[str, Targets], underlays: Mapping[str, Underlay]) -> Dict[str, Any]:
    chosen = targets[min(names, key=lambda name: (targets[name].pod, name))]
    narrow = min(names, key=lambda name: (underlays[name].mtu, name))
    return {
        "hosts": sorted(names),
        "underlay_mtu": chosen.underlay,
        "narrowest": {"host": narrow, **underlays[narrow].as_fact()},
        "encapsulation": chosen.encapsulation,
        "family": chosen.overlay.tunnel.underlay_family if chosen.overlay is not None else None,
        "overhead": chosen.overhead,
        "pod_mtu": chosen.pod,
        "values": {knob.name: value_for(knob.name, sizes_of(chosen)) for knob in KNOBS},
    }


def _summary(plans: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    counts = {name: plan["changes"] for name, plan in plans.items() if plan["changes"]}
    return {"changes": sum(counts.values()), "changed_hosts": sorted(counts)}
