# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which network plugin RKE2 runs, by the files of a server. An agent has none that say so.

Source: docs.rke2.io "Network Options", rke2 pkg/cli/cmds/server.go (cni), k3s pkg/configfilearg/parser.go.
"""

from __future__ import annotations

import hashlib
from typing import List, Optional, Tuple

from .drop_ins import Blocked
from .reading import exists, list_directory, read_bytes, read_text
from .yaml_lines import YamlError, top_level_lists

SERVER = "/var/lib/rancher/rke2/server"
MANIFESTS = f"{SERVER}/manifests"
PLUGINS = ("canal", "calico", "flannel", "cilium")
_CONFIG = "/etc/rancher/rke2/config.yaml"
_UNIT = "/etc/systemd/system/multi-user.target.wants/rke2-server.service"
_DEFAULT_PLUGIN = "canal"


def is_server(root: str) -> bool:
    """Tell whether this node is one of RKE2's servers."""
    return exists(root, SERVER) or exists(root, _UNIT)


def cluster_of(root: str) -> str:
    """Return what tells a server's cluster from others: a digest of its certificate authority, empty without one.

    Raises UnreadableFile.
    """
    certificate = read_bytes(root, f"{SERVER}/tls/server-ca.crt")
    return hashlib.sha256(certificate).hexdigest() if certificate else ""


def plugins_of(root: str) -> Tuple[List[str], str]:
    """Return the network plugins that a server's files speak of, and the file and line that does.

    The charts that RKE2 has laid down count for more than config.yaml, which may be amended by its command line.
    Raises Blocked, UnreadableFile.
    """
    charts = [name for name in PLUGINS if exists(root, f"{MANIFESTS}/rke2-{name}.yaml")]
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
    if names[0] not in PLUGINS:
        raise Blocked(f"{place}: {names[0]} is no plugin whose chart is known here: {', '.join(PLUGINS)} are")
    return names[0]
