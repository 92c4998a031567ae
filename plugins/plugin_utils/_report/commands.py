# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can type to heal a finding, and what makes it last."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Callable, Dict, List, Optional

Variables = Mapping[str, Any]


def _enter(entry: Variables) -> Optional[List[str]]:
    """Return the words that run a command in a namespace; None where there is no way in by name or process."""
    if "namespace" not in entry and "pid" not in entry:
        return []
    if entry.get("namespace"):
        return ["nsenter", f"--net={entry['namespace']}"]
    if entry.get("pid"):
        return ["nsenter", "--target", str(entry["pid"]), "--net"]
    return None


def _command(entry: Variables, words: List[str]) -> List[str]:
    enter = _enter(entry)
    return [] if enter is None else [shlex.join([*enter, *words])]


def _link_mtu(variables: Variables) -> List[str]:
    commands = []
    for change in variables.get("links", ()):
        commands.extend(_command(change, ["ip", "link", "set", "dev", str(change["link"]), "mtu", str(change["mtu"])]))
    return commands


def _sysctl_profile(variables: Variables) -> List[str]:
    commands = []
    for key, value in sorted(variables.get("sysctls", {}).items()):
        commands.extend(_command(variables, ["sysctl", "-w", f"{key}={value}"]))
    return commands


def _listen_backlog(variables: Variables) -> List[str]:
    commands = []
    if "somaxconn" in variables:
        commands.extend(_command(variables, ["sysctl", "-w", f"net.core.somaxconn={variables['somaxconn']}"]))
    unit = str(variables.get("unit", ""))
    if unit.endswith(".service") and not _enter(variables):
        commands.append(shlex.join(["systemctl", "restart", unit]))
    return commands


def _path_mtu_cache(variables: Variables) -> List[str]:
    version = "-6" if variables.get("family") == "ipv6" else "-4"
    return _command(variables, ["ip", version, "route", "flush", "cache"])


def _mss_clamp(variables: Variables) -> List[str]:
    """Connections of that port alone, by the port that the client asked for; nft never raises an MSS."""
    family, table = ("ip6" if variables.get("family") == "ipv6" else "ip"), f"netfit_mss_{variables['port']}"
    chain = "{ type filter hook forward priority mangle ; policy accept ; }"
    match = ["tcp", "flags", "syn", "/", "syn,rst", "ct", "original", "proto-dst", str(variables["port"])]
    rule = [*match, "tcp", "option", "maxseg", "size", "set", str(variables["mss"])]
    return [
        shlex.join(["nft", "add", "table", family, table]),
        shlex.join(["nft", "add", "chain", family, table, "forward", chain]),
        shlex.join(["nft", "add", "rule", family, table, "forward", *rule]),
    ]


def _keep_link(variables: Variables) -> str:
    if variables.get("persist") is True:
        return "set it where the link is configured: the file says more than the link has"
    if "pod_mtu" not in variables:
        return "lost when the link is made again: set it where the link is configured, too"
    files = ", ".join(variables.get("files", ()))
    where = f"{files} says more" if files else _pod_mtu_knob(str(variables.get("overlay", "")))
    return f"give new pods MTU {variables['pod_mtu']} ({where}), then recreate the pods when it suits"


def _pod_mtu_knob(overlay: str) -> str:
    """Name the setting that decides about the MTU of new pods where no file on the node does."""
    knobs = (knob for prefix, knob in POD_MTU_KNOBS.items() if overlay.startswith(prefix))
    return next(knobs, "in the CNI's configuration, which declares none")


def _keep_sysctl(variables: Variables) -> str:
    if _enter(variables) == []:
        return "write it to a file of its own in /etc/sysctl.d as well"
    return "lost when it restarts: set it in the pod's securityContext.sysctls or with docker run --sysctl, too"


def _keep_backlog(variables: Variables) -> str:
    wanted = f"at least {variables['backlog']}" if "backlog" in variables else "more"
    return f"the program must ask for {wanted} in its own configuration, and call listen() again (restart)"


def _keep_cache(variables: Variables) -> str:
    return "nothing to keep: what is learned anew is what the path says then"


def _keep_clamp(variables: Variables) -> str:
    return (
        f"the lasting cure is an MTU of at most {variables['pod_mtu']} in the pods that serve port "
        f"{variables['port']} (MTU-001); then delete the table netfit_mss_{variables['port']}"
    )


def _keep_traffic_policy(variables: Variables) -> str:
    namespace, _slash, name = str(variables.get("service") or "").partition(":")[0].partition("/")
    patch = '{"spec":{"externalTrafficPolicy":"Local"}}'
    words = ["kubectl", "-n", namespace or "NAMESPACE", "patch", "service", name or "NAME", "-p", patch]
    return (
        f"where a request need not cross: {shlex.join(words)}, once the load balancer's health check asks port "
        f"{variables['port']} itself; else let full-size packets fit the overlay (MTU-001)"
    )


def _keep_cni(variables: Variables) -> str:
    files = ", ".join(variables["files"])
    if "pod_mtu" in variables:
        return f"set the CNI's MTU to {variables['pod_mtu']} where {files} says more"
    return f"set the MTU of the underlay to {variables['underlay_mtu']} where {files} says less"


POD_MTU_KNOBS = {
    "flannel": "Canal: veth_mtu of ConfigMap canal-config; RKE1: network.mtu in cluster.yml; "
    "RKE2: calico.vethuMTU in HelmChartConfig rke2-canal",
    "vxlan.calico": "Calico: veth_mtu of ConfigMap calico-config, or calicoNetwork.mtu of the operator's Installation",
    "tunl0": "Calico: veth_mtu of ConfigMap calico-config, or calicoNetwork.mtu of the operator's Installation",
    "cilium": "Cilium: mtu of ConfigMap cilium-config, which is the underlay's MTU",
}
"""Overlay device, by the beginning of its name: the setting, in the words of the stack that makes it."""
COMMANDS: Dict[str, Callable[[Variables], List[str]]] = {
    "link_mtu": _link_mtu,
    "sysctl_profile": _sysctl_profile,
    "listen_backlog": _listen_backlog,
    "mss_clamp": _mss_clamp,
    "path_mtu_cache": _path_mtu_cache,
}
KEEP: Dict[str, Callable[[Variables], str]] = {
    "link_mtu": _keep_link,
    "sysctl_profile": _keep_sysctl,
    "listen_backlog": _keep_backlog,
    "cni_mtu": _keep_cni,
    "mss_clamp": _keep_clamp,
    "path_mtu_cache": _keep_cache,
    "external_traffic_policy": _keep_traffic_policy,
}


PLAYED = ("link_mtu", "cni_mtu", "mss_clamp", "sysctl_profile", "listen_backlog")
"""Tags of netfit.cluster.remediate: what the playbook does, is undone by netfit.cluster.rollback."""
PLANNED = ("link_mtu", "cni_mtu")
"""Those that follow from what the whole cluster's network carries: all its hosts have to be asked."""


def playbook_command(finding: Mapping[str, Any]) -> Optional[str]:
    """Return the command that lets the playbook heal a finding; None where it can't."""
    tag = str((finding.get("remedy") or {}).get("tag"))
    if tag not in PLAYED:
        return None
    limit = "" if tag in PLANNED else f" --limit {shlex.quote(','.join(fix_hosts(finding)))}"
    return f"ansible-playbook netfit.cluster.remediate --tags {tag}{limit}"


def fix_commands(finding: Mapping[str, Any]) -> List[str]:
    """Return the commands that heal a finding at once, to be run as root on its host; empty where there are none."""
    remedy = finding.get("remedy") or {}
    make = COMMANDS.get(str(remedy.get("tag")))
    return make(remedy.get("variables", {})) if make is not None else []


def fix_hosts(finding: Mapping[str, Any]) -> List[str]:
    """Return the hosts on which the commands are to be run."""
    variables = (finding.get("remedy") or {}).get("variables", {})
    return [str(host) for host in variables.get("hosts", [finding["target"]["host"]])]


def keep_hint(finding: Mapping[str, Any]) -> Optional[str]:
    """Return what makes the cure last, in words."""
    remedy = finding.get("remedy") or {}
    make = KEEP.get(str(remedy.get("tag")))
    return make(remedy.get("variables", {})) if make is not None else None
