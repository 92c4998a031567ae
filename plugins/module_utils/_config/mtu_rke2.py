# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""RKE2: the values of its network's Helm chart, in a HelmChartConfig below server/manifests.

The server deploys what lies there when it changes, without a restart. A HelmChartConfig that is there already is
merged: a line of its valuesContent changes or is added. Source: rke2-charts, docs.rke2.io "Basic Network Options".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from .._model.declared import MtuMeaning
from .._model.file_change import FileChange, FileText
from .._model.mtu_config import ClusterPatch, Knob, MtuWish, Stack, StackPlan
from .drop_ins import Blocked
from .helm_chart_config import KEPT, ChartConfig, find_chart_config, new_chart_config, values_with
from .mtu_knobs import PODS_KEEP, RECREATE, flannel_for, pod_for, underlay_for, whole_number
from .mtu_patches import restart_commands
from .mtu_seen import calico_mtu, flannel_mtu, keeping_commands, network_in_force
from .reading import exists, list_directory, read_text
from .yaml_block import string_in_block
from .yaml_lines import YamlError, top_level_lists

SERVER = "/var/lib/rancher/rke2/server"
MANIFESTS = f"{SERVER}/manifests"
_CONFIG = "/etc/rancher/rke2/config.yaml"
_UNIT = "/etc/systemd/system/multi-user.target.wants/rke2-server.service"
_DEFAULT_PLUGIN = "canal"
_BACKEND = ("flannel", "backend")

Value = Tuple[Tuple[str, ...], MtuMeaning, int]
"""Path in the chart's values, what it means, and the wanted number in bytes."""


@dataclass(frozen=True)
class _Plugin:
    """daemon_set, namespace: what has to read the new values, None where the chart or an operator sees to it.

    tunnels: its devices that keep their MTU when it starts anew.
    """

    daemon_set: Optional[str]
    namespace: str = "kube-system"
    tunnels: Tuple[str, ...] = ()


_PLUGINS: Dict[str, _Plugin] = {
    "canal": _Plugin("rke2-canal", tunnels=("flannel.1",)),
    "calico": _Plugin(None, "calico-system"),
    "flannel": _Plugin("kube-flannel-ds", tunnels=("flannel.4096",)),
    "cilium": _Plugin("cilium"),
}


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
        return _plan_server(root, wish, plugin, config)
    except YamlError as error:
        raise Blocked(
            f"{config.file if config else plugin}, {error}: set {_by_hand(plugin)} in its valuesContent by hand"
        ) from error


def is_server(root: str) -> bool:
    """Tell whether this node is one of RKE2's servers."""
    return exists(root, SERVER) or exists(root, _UNIT)


def plugins_of(root: str) -> Tuple[List[str], str]:
    """Return the network plugins that a server's files speak of, and the file and line that does.

    The charts that RKE2 has laid down count for more than config.yaml, which may be amended by its command line.
    Raises Blocked, UnreadableFile.
    """
    charts = [name for name in _PLUGINS if exists(root, f"{MANIFESTS}/rke2-{name}.yaml")]
    if len(charts) == 1:
        return charts, f"{MANIFESTS}/rke2-{charts[0]}.yaml"
    named, place = [_DEFAULT_PLUGIN], "RKE2's default, where config.yaml has no cni"
    names = list_directory(root, f"{_CONFIG}.d")
    files = [f"{_CONFIG}.d/{name}" for name in names if name.lower().endswith((".yaml", ".yml"))]
    for path in [_CONFIG, *files]:
        try:
            found = top_level_lists(read_text(root, path) or "", ("cni", "cni+"))
        except YamlError as error:
            raise Blocked(f"{path} can't be understood ({error}): correct it") from error
        for key, words in found:
            chosen = [word for text in words for word in text.replace(" ", "").split(",") if word]
            named = chosen if key.key == "cni" else [*named, *chosen]
            place = f"{path}:{key.line}"
    return [name for name in named if name != "multus"], place


def plugin_of(root: str, wanted: Optional[str]) -> str:
    """Return the network plugin of a server. Raises Blocked where it isn't clear, or another one than is wanted."""
    names, place = plugins_of(root)
    if names in ([], ["none"]):
        raise Blocked(f"{place}: RKE2 runs no network plugin of its own: name the stack that you installed with stacks")
    if len(names) > 1:
        raise Blocked(f"{place}: {', '.join(names)}: it isn't clear which network plugin pods have: leave one")
    if wanted and wanted != names[0]:
        raise Blocked(f"plugin: {wanted}, but this node has {names[0]} ({place}): leave it out")
    if names[0] not in _PLUGINS:
        raise Blocked(f"{place}: {names[0]} is no plugin whose chart is known here: {', '.join(_PLUGINS)} are")
    return names[0]


def _plan_server(root: str, wish: MtuWish, plugin: str, config: Optional[ChartConfig]) -> StackPlan:
    backend = _backend(config) if plugin == "canal" else "vxlan"
    wanted = _values(plugin, wish, backend)
    old = [_value_of(config, path) for path, _meaning, _mtu in wanted]
    change = _change(plugin, config, [value for value, before in zip(wanted, old) if before != value[2]])
    knobs = tuple(
        Knob(f"HelmChartConfig rke2-{plugin}: {'.'.join(path)}", meaning, before, mtu)
        for (path, meaning, mtu), before in zip(wanted, old)
    )
    waits = change is not None or _node_differs(root, plugin, wanted, backend)
    live = next((mtu - 50 for path, _meaning, mtu in wanted if path[0] == "flannel"), 0)
    tunnels = _PLUGINS[plugin].tunnels if backend == "vxlan" else ()
    return StackPlan(
        Stack.RKE2,
        knobs=knobs,
        changes=(change,) if change else (),
        reason=_reason(change, config, plugin),
        patches=(_afterwards(plugin, [f"ip link set dev {tunnel} mtu {live}" for tunnel in tunnels]),) if waits else (),
        before_restart=keeping_commands(root, tunnels, live),
        running=PODS_KEEP,
    )


def _reason(change: Optional[FileChange], config: Optional[ChartConfig], plugin: str) -> str:
    if change is None:
        return f"{config.file if config else ''} is so already"
    if config is not None:
        return ""
    return (
        f"a HelmChartConfig rke2-{plugin} that was made with kubectl and is in no file here would be replaced: "
        f"look with 'kubectl --namespace kube-system get helmchartconfig rke2-{plugin} --output yaml' and add "
        "its values"
    )


def _values(plugin: str, wish: MtuWish, backend: str) -> List[Value]:
    """Return what has to be set. Raises Blocked where a number for it is missing."""
    if plugin == "calico":
        final = ("installation", "calicoNetwork", "mtu")
        return [(final, MtuMeaning.INTERFACE, pod_for(wish, ".".join(final)))]
    if plugin == "cilium":
        return [(("MTU",), MtuMeaning.UNDERLAY, underlay_for(wish, "Cilium's MTU"))]
    path = ("flannel", "mtu")
    pods: List[Value] = []
    if plugin == "canal":
        # Calico makes the pods' links and flannel the tunnel; nothing in the chart ties the two numbers together.
        vethu = ("calico", "vethuMTU")
        pods = [(vethu, MtuMeaning.INTERFACE, pod_for(wish, ".".join(vethu)))]
        if backend not in ("vxlan", "wireguard"):
            return pods
    return [*pods, (path, MtuMeaning.UNDERLAY, flannel_for(wish, backend, ".".join(path)))]


def _by_hand(plugin: str) -> str:
    paths = {
        "canal": "calico.vethuMTU and flannel.mtu",
        "calico": "installation.calicoNetwork.mtu",
        "cilium": "MTU",
        "flannel": "flannel.mtu",
    }
    return paths[plugin]


def _backend(config: Optional[ChartConfig]) -> str:
    found = string_in_block(config.lines, config.place, KEPT, _BACKEND) if config else None
    return (found or "vxlan").lower()


def _value_of(config: Optional[ChartConfig], path: Tuple[str, ...]) -> Optional[int]:
    if config is None:
        return None
    return whole_number(
        string_in_block(config.lines, config.place, KEPT, path), f"{config.file}: {'.'.join(path)} in valuesContent"
    )


def _change(plugin: str, config: Optional[ChartConfig], missing: List[Value]) -> Optional[FileChange]:
    if not missing:
        return None
    pairs = [(path, str(mtu)) for path, _meaning, mtu in missing]
    if config is None:
        text = new_chart_config(f"rke2-{plugin}", pairs)
        return FileChange(f"{MANIFESTS}/rke2-{plugin}-config.yaml", None, FileText(text, 0o600))
    return FileChange(config.file, config.before, FileText(values_with(config, pairs), config.before.mode))


def _node_differs(root: str, plugin: str, wanted: List[Value], backend: str) -> bool:
    """Tell whether the network of this very node shows that the chart's values have not reached it yet."""
    wanted_of = {path[-1]: mtu for path, _meaning, mtu in wanted}
    if plugin in ("canal", "calico"):
        effective = calico_mtu(root, network_in_force(root))[1]
        if effective is not None and effective != wanted_of.get("vethuMTU", wanted_of.get("mtu")):
            return True
    if plugin in ("canal", "flannel") and backend == "vxlan":
        seen = flannel_mtu(root)
        return seen is not None and seen != wanted_of["mtu"] - 50
    return False


def _afterwards(plugin: str, keeps: Sequence[str]) -> ClusterPatch:
    known = _PLUGINS[plugin]
    name = known.daemon_set or "calico-node"
    restart = restart_commands(known.namespace, name)
    return ClusterPatch(
        name=f"rke2-{plugin}",
        resource=f"daemonset/{name}",
        namespace=known.namespace,
        patch_type="",
        file="",
        patch="",
        commands=(
            *(f"# on every node first, its MTU stays otherwise: {command}" for command in keeps),
            # The Calico operator rolls calico-node out by itself.
            *(restart if known.daemon_set else restart[1:]),
            *RECREATE,
        ),
    )
