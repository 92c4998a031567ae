# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""RKE2: the values of its network's Helm chart, in a HelmChartConfig below server/manifests.

The server deploys what lies there when it changes, without a restart. A HelmChartConfig that is there already is
merged: a line of its valuesContent changes or is added. Source: rke2-charts, docs.rke2.io "Basic Network Options".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.file_change import FileChange, FileText
from .._model.mtu_config import ClusterPatch, Knob, MtuWish, Stack, StackPlan
from .drop_ins import Blocked
from .helm_chart_config import KEPT, ChartConfig, find_chart_config, new_chart_config, values_with
from .mtu_knobs import FLANNEL_OVERHEAD, PODS_KEEP, RECREATE, RIGHT, flannel_for, pod_for, underlay_for, whole_number
from .mtu_patches import restart_commands
from .mtu_seen import calico_mtu, device_mtu, flannel_mtu, keeping_links, network_in_force
from .rancher_values import MANAGED, chart_values_of, is_chart_values, managed_value, owner_patch
from .reading import exists
from .rke2_plugin import MANIFESTS, cluster_of, is_server, plugin_of
from .whole_file import read_whole
from .yaml_block import string_in_block
from .yaml_lines import YamlError

Path = Tuple[str, ...]

VETHU_MTU: Path = ("calico", "vethuMTU")
FLANNEL_MTU: Path = ("flannel", "mtu")
CALICO_MTU: Path = ("installation", "calicoNetwork", "mtu")
CILIUM_MTU: Path = ("MTU",)
_MEANINGS: Dict[Path, MtuMeaning] = {
    VETHU_MTU: MtuMeaning.INTERFACE,
    FLANNEL_MTU: MtuMeaning.UNDERLAY,
    CALICO_MTU: MtuMeaning.INTERFACE,
    CILIUM_MTU: MtuMeaning.UNDERLAY,
}
# In canal Calico makes the pods' links and flannel the tunnel; nothing in the chart ties the two numbers together.
_PATHS: Dict[str, Tuple[Path, ...]] = {
    "canal": (VETHU_MTU, FLANNEL_MTU),
    "calico": (CALICO_MTU,),
    "flannel": (FLANNEL_MTU,),
    "cilium": (CILIUM_MTU,),
}
_DAEMON_SETS = {"canal": "rke2-canal", "flannel": "kube-flannel-ds", "cilium": "cilium"}
"""What has to read the new values. The operator of Calico sees to that by itself."""
_VNI = {"canal": 1, "flannel": 4096}


@dataclass(frozen=True)
class _Chart:
    """The chart of a plugin as it is configured. backend: of flannel, "" without one that takes notice of an MTU.

    tunnels: its devices of VXLAN, which keep their MTU when flannel starts anew.
    """

    plugin: str
    config: Optional[ChartConfig]
    backend: str = ""
    tunnels: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, which is that of its HelmChartConfig too."""
        return f"rke2-{self.plugin}"

    def value(self, path: Path) -> Optional[str]:
        """Return one of its values where the HelmChartConfig has it. Raises YamlError."""
        if self.config is None:
            return None
        if is_chart_values(self.config):
            return managed_value(self.config, path)
        return string_in_block(self.config.lines, self.config.place, KEPT, path)

    def number(self, path: Path) -> Optional[int]:
        """Return one that is an MTU in bytes. Raises YamlError, Blocked."""
        return whole_number(self.value(path), f"{self.config.file if self.config else ''}: {'.'.join(path)}")


def plan_rke2(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan. Raises Blocked, UnreadableFile."""
    if not is_server(root):
        return StackPlan(
            Stack.RKE2,
            reason="an agent has nothing to write: the values of the network's chart are on the server nodes",
            running=PODS_KEEP,
        )
    plugin = plugin_of(root, wish.plugin)
    config = find_chart_config(root, MANIFESTS, f"rke2-{plugin}")
    try:
        return _plan_server(root, wish, _chart(root, plugin, config))
    except YamlError as error:
        by_hand = " and ".join(".".join(path) for path in _PATHS[plugin])
        file = config.file if config else MANIFESTS
        raise Blocked(f"{file}, {error}: set {by_hand} in its valuesContent by hand") from error


def _chart(root: str, plugin: str, config: Optional[ChartConfig]) -> _Chart:
    """Return a plugin's chart. Raises YamlError, Blocked."""
    chart = _Chart(plugin, config)
    if plugin not in _VNI:
        return chart
    backend = (chart.value(("flannel", "backend")) or "vxlan").lower()
    if backend not in FLANNEL_OVERHEAD:
        if plugin == "canal":
            return chart
        raise Blocked(
            f"{config.file if config else ''}: flannel.backend {backend} takes no notice of an MTU: flannel takes that "
            "of the node's interface when it starts; set that one with link_mtu, and restart the pods of the network"
        )
    if backend != "vxlan":
        return _Chart(plugin, config, backend)
    vni = whole_number(chart.value(("flannel", "vni")), "flannel.vni") or _VNI[plugin]
    v6 = f"flannel-v6.{vni}"
    tunnels = (f"flannel.{vni}", v6) if device_mtu(root, v6) else (f"flannel.{vni}",)
    return _Chart(plugin, config, backend, tunnels)


def _plan_server(root: str, wish: MtuWish, chart: _Chart) -> StackPlan:
    paths = [path for path in _PATHS[chart.plugin] if chart.backend or path != FLANNEL_MTU]
    wanted = {path: _wanted(path, wish, chart) for path in paths}
    old = {path: chart.number(path) for path in wanted}
    missing = {path: mtu for path, mtu in wanted.items() if old[path] != mtu}
    live = wanted[FLANNEL_MTU] - FLANNEL_OVERHEAD[chart.backend] if FLANNEL_MTU in wanted else 0
    by_itself = bool(missing) and not any(old[path] for path in missing) and _node_shows(root, wanted, live, chart)
    missing = {} if by_itself else missing
    ranchers = chart.config is not None and chart.config.ranchers
    elsewhere = wish.elsewhere if chart.config is None and missing else None
    change = None if ranchers or elsewhere else _change(root, chart, missing)
    waits = bool(missing) or _node_differs(root, wanted, live)
    plan = StackPlan(
        Stack.RKE2,
        knobs=tuple(
            Knob(f"HelmChartConfig {chart.name}: {'.'.join(path)}", _MEANINGS[path], old[path], mtu)
            for path, mtu in wanted.items()
        ),
        changes=(change,) if change else (),
        reason=RIGHT if by_itself else _elsewhere(elsewhere, chart) or _reason(root, change, chart),
        patches=(_afterwards(chart, live),) if waits else (),
        keeping=keeping_links(root, chart.tunnels, live),
        running=PODS_KEEP,
        chart_config=chart.config.file if chart.config else "",
        cluster=cluster_of(root),
    )
    return _left_to_rancher(plan, chart.config, chart.name, missing) if chart.config and ranchers and missing else plan


def _left_to_rancher(plan: StackPlan, config: ChartConfig, name: str, missing: Dict[Path, int]) -> StackPlan:
    """Return the plan with what the owner of the cluster has to do in Rancher before all else."""
    patch, setting = owner_patch(config, name, list(missing.items()))
    reason = (
        f"{config.file} is Rancher's, which writes it anew out of {setting} of the cluster: set the values there. It "
        "waits for the cluster's owner, with the commands that are returned"
    )
    snippets = {"spec.rkeConfig.chartValues": patch.patch} if patch.patch else {}
    return replace(plan, reason=reason, patches=(patch, *plan.patches), snippets=snippets)


def _wanted(path: Path, wish: MtuWish, chart: _Chart) -> int:
    """Return the number for a value, in bytes. Raises Blocked where it is missing or can't be had."""
    knob = ".".join(path)
    if path == FLANNEL_MTU:
        return flannel_for(wish, chart.backend, knob)
    return underlay_for(wish, knob) if _MEANINGS[path] is MtuMeaning.UNDERLAY else pod_for(wish, knob)


def _reason(root: str, change: Optional[FileChange], chart: _Chart) -> str:
    if change is None:
        return f"{chart.config.file if chart.config else ''} is so already"
    if chart.config is not None:
        return ""
    return (
        f"a HelmChartConfig {chart.name} that was made with kubectl and is in no file here is replaced: look first "
        f"with '{_kubectl('get', chart)} --output yaml'. RKE2 leaves the object in the cluster when its file is "
        f"removed: after an undo, run '{_kubectl('delete', chart)}'{_also_rancher(root, chart)}"
    )


def _elsewhere(server: Optional[str], chart: _Chart) -> str:
    if server is None:
        return ""
    return (
        f"{server} has a HelmChartConfig {chart.name} in a file, which is for the whole cluster: nothing is written "
        "here, because RKE2 does not bring the files of servers together, and the last one to be read would count"
    )


def _also_rancher(root: str, chart: _Chart) -> str:
    if not exists(root, f"{MANIFESTS}/{MANAGED}"):
        return ""
    setting = chart_values_of(chart.name)
    return f". Rancher has made this cluster: before {setting} is given there, which would compete, remove our file"


def _kubectl(verb: str, chart: _Chart) -> str:
    return f"kubectl --namespace kube-system {verb} helmchartconfig {chart.name}"


def _change(root: str, chart: _Chart, missing: Dict[Path, int]) -> Optional[FileChange]:
    """Return the change that sets these values. Raises YamlError, UnreadableFile."""
    if not missing:
        return None
    values = [(path, str(mtu)) for path, mtu in missing.items()]
    if chart.config is not None:
        before = chart.config.before
        return FileChange(chart.config.file, before, FileText(values_with(chart.config, values), before.mode))
    path = f"{MANIFESTS}/{chart.name}-config.yaml"
    text = new_chart_config(chart.name, values)
    other = read_whole(root, path)
    if other is None:
        return FileChange(path, None, FileText(text, 0o600))
    # A file of that name with something else in it gets one document more.
    ending = "" if not other.text or other.text.endswith("\n") else "\n"
    return FileChange(path, other, FileText(f"{other.text}{ending}---\n{text}", other.mode))


def _node_differs(root: str, wanted: Dict[Path, int], live: int) -> bool:
    """Tell whether the network of this very node shows that the chart's values have not reached it yet.

    live: MTU of the tunnel, in bytes, where there is one of flannel.
    """
    pods = wanted.get(VETHU_MTU, wanted.get(CALICO_MTU))
    effective = calico_mtu(root, network_in_force(root))[1]
    if pods is not None and effective not in (None, pods):
        return True
    return FLANNEL_MTU in wanted and flannel_mtu(root) not in (None, live)


def _node_shows(root: str, wanted: Dict[Path, int], live: int, chart: _Chart) -> bool:
    """Tell whether the network of this very node shows all of these values. live: see _node_differs."""
    shown = {
        CILIUM_MTU: device_mtu(root, "lxc_health"),
        FLANNEL_MTU: wanted.get(FLANNEL_MTU) if flannel_mtu(root) == live else None,
    }
    effective = calico_mtu(root, network_in_force(root))[1]
    right = all(shown.get(path, effective) == mtu for path, mtu in wanted.items())
    return right and not keeping_links(root, chart.tunnels, live)


def _afterwards(chart: _Chart, live: int) -> ClusterPatch:
    """Return what is left to do in the cluster. live: see _node_differs."""
    daemon_set = _DAEMON_SETS.get(chart.plugin)
    namespace, name = ("kube-system", daemon_set) if daemon_set else ("calico-system", "calico-node")
    restart = restart_commands(namespace, name)
    devices = [f"ip link set dev {tunnel} mtu {live}" for tunnel in chart.tunnels]
    return ClusterPatch(
        name=chart.name,
        resource=f"daemonset/{name}",
        namespace=namespace,
        patch_type="",
        file="",
        patch="",
        commands=(
            *(f"# on every node first, its MTU stays otherwise: {command}" for command in devices),
            # The operator rolls calico-node out, and there is nothing but to wait for it.
            *(restart if daemon_set else restart[1:]),
            *RECREATE,
        ),
    )
