# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Patches and kubectl commands for what only the Kubernetes API can change; pure.

They are applied by people. Each patch is a merge patch (RFC 7386) or, for containers of a DaemonSet, a strategic one.
"""

from __future__ import annotations

import json
import re
from typing import Mapping, Sequence, Tuple

from .._model.mtu_config import ClusterPatch
from .mtu_knobs import RECREATE

MERGE = "merge"
STRATEGIC = "strategic"
_LITERAL = re.compile(r"\S[^\r\t\x00-\x09\x0b-\x1f\x7f-\uffff]*\Z")

# Only Backend.MTU changes; kubectl replace refuses the object when somebody else changed it meanwhile.
_EDIT = (
    "import json, sys; o = json.load(sys.stdin); c = json.loads(o['data']['net-conf.json']); "
    "b = c['Backend']; [b.pop(k) for k in list(b) if k.lower() == 'mtu']; b['MTU'] = {mtu}; "
    "o['data']['net-conf.json'] = json.dumps(c, indent=2); json.dump(o, sys.stdout)"
)


def patch_command(namespace: str, resource: str, patch_type: str) -> str:
    """Return the command that applies a patch. namespace: empty for what is in none. {file}: see ClusterPatch.

    The patch is an argument: kubectl knows --patch-file only from 1.21 on.
    """
    scope = f"--namespace {namespace} " if namespace else ""
    return f'kubectl {scope}patch {resource} --type {patch_type} --patch "$(cat {{file}})"'


def restart_commands(namespace: str, daemon_set: str) -> Tuple[str, ...]:
    """Return the commands that make a DaemonSet read its configuration anew, and wait for it."""
    scope = f"kubectl --namespace {namespace} rollout"
    return (
        f"{scope} restart daemonset {daemon_set}",
        f"{scope} status daemonset {daemon_set} --timeout=15m",
    )


def config_map_patch(
    name: str,
    namespace: str,
    config_map: str,
    entries: Mapping[str, str],
    before: Sequence[str],
    after: Sequence[str],
) -> ClusterPatch:
    """Return the patch that sets entries of a ConfigMap. before, after: commands and comments around it.

    Without entries there is nothing to patch, and just the commands are returned.
    """
    data = "".join(_entry(key, value) for key, value in entries.items())
    # With the kind at its end: the shell takes the last line's end away, which may be part of the text of an entry.
    patch = f"data:\n{data}kind: ConfigMap\n" if entries else ""
    resource = f"configmap/{config_map}"
    apply = (patch_command(namespace, resource, MERGE),) if entries else ()
    return ClusterPatch(
        name=name,
        resource=resource,
        namespace=namespace,
        patch_type=MERGE if entries else "",
        file=f"{name}-{config_map}.yaml" if entries else "",
        patch=patch,
        commands=(*before, *apply, *after, *RECREATE),
    )


def net_conf_pipeline(namespace: str, config_map: str, mtu: int) -> str:
    """Return the command that sets Backend.MTU within the string net-conf.json of a ConfigMap.

    A patch can only replace the whole string: this is for where its text isn't known.
    """
    scope = f"kubectl --namespace {namespace}"
    return (
        f'{scope} get configmap {config_map} --output json | python3 -c "{_EDIT.format(mtu=mtu)}" | '
        f"{scope} replace --filename -"
    )


def weave_patch(mtu: int, comment: str) -> ClusterPatch:
    """Return the patch that sets WEAVE_MTU of the DaemonSet weave-net, which rolls it out by itself."""
    patch = (
        "spec:\n  template:\n    spec:\n      containers:\n        - name: weave\n          env:\n"
        f'            - name: WEAVE_MTU\n              value: "{mtu}"\n'
    )
    resource = "daemonset/weave-net"
    return ClusterPatch(
        name="rke1-weave",
        resource=resource,
        namespace="kube-system",
        patch_type=STRATEGIC,
        file="rke1-weave-weave-net.yaml",
        patch=patch,
        commands=(
            comment,
            patch_command("kube-system", resource, STRATEGIC),
            "kubectl --namespace kube-system rollout status daemonset weave-net --timeout=15m",
            "# on each node, the bridge keeps its MTU otherwise: ip link set dev weave mtu " + str(mtu),
            *RECREATE,
        ),
    )


def installation_patch(name: str, mtu: int) -> ClusterPatch:
    """Return the patch of the Calico operator's Installation, which rolls out calico-node by itself."""
    resource = "installation.operator.tigera.io/default"
    return ClusterPatch(
        name=name,
        resource=resource,
        namespace=None,
        patch_type=MERGE,
        file=f"{name}-installation.yaml",
        patch=f"spec:\n  calicoNetwork:\n    mtu: {mtu}\n",
        commands=(
            patch_command("", resource, MERGE),
            "kubectl --namespace calico-system rollout status daemonset calico-node --timeout=15m",
            *RECREATE,
        ),
    )


def _entry(key: str, value: str) -> str:
    """Return an entry of a mapping below "data:": a text of several lines as a block, else as JSON has it."""
    if "\n" not in value or not _LITERAL.match(value) or value.endswith("\n\n"):
        return f"  {key}: {json.dumps(value)}\n"
    header = "|" if value.endswith("\n") else "|-"
    body = "".join(f"    {line}\n" if line else "\n" for line in value.rstrip("\n").split("\n"))
    return f"  {key}: {header}\n{body}"
