# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls that kubelet of RKE1 lets pods ask for: services.kubelet.extra_args in cluster.yml.

The file is on the machine where "rke up" is run, and takes effect with the next "rke up" only. It is hand-written: one
line of it changes, every other one stays. Source: rke types/rke_types.go (KubeletService), "Services" of its docs.
"""

from __future__ import annotations

from typing import Tuple

from .._model.allowed_sysctls import as_allowed, needs_allowing, split_list, with_allowed, without_allowed
from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import FileChange, FileText, Restart
from .drop_ins import Blocked
from .rancher_kubelet import FLAG
from .whole_file import read_whole
from .yaml_edit import get_string, has_key, remove_key, set_string
from .yaml_lines import YamlError

_PATH = ("services", "kubelet", "extra_args", FLAG)
# A cluster that Rancher made has the same file below this key.
_RANCHER = "rancher_kubernetes_engine_config"
_KEEPS = (
    "rke up starts the kubelets anew; pods that run go on and keep the sysctls that they have. No pod gets a value by "
    "this alone: it has to ask for it, see the snippets."
)


def plan_rke1(root: str, wanted: Wanted) -> RuntimePlan:
    """Return what has to be written. Raises Blocked, UnreadableFile."""
    file = wanted.rke1_cluster_file
    if not file:
        raise Blocked("cluster.yml is on the machine where 'rke up' is run: name it with rke1_cluster_file there")
    before = read_whole(root, file)
    if before is None:
        raise Blocked(f"rke1_cluster_file: {file} is not there: name the cluster.yml that 'rke up' reads")
    try:
        text, old, new = _edited(before.text, wanted)
    except YamlError as error:
        raise Blocked(f"{file}, {error}: add {'.'.join(_PATH)} by hand: {_by_hand(wanted)}") from error
    change = FileChange(file, before, FileText(text, before.mode)) if text != before.text else None
    return RuntimePlan(
        Runtime.RKE1,
        change=change,
        reason="" if change else f"{file} is so already",
        before=as_allowed(old),
        after=as_allowed(new),
        restart=Restart(None, f"rke up --config {file}"),
        keeps=_KEEPS,
    )


def _edited(text: str, wanted: Wanted) -> Tuple[str, Tuple[str, ...], Tuple[str, ...]]:
    path = (_RANCHER, *_PATH) if has_key(text, _RANCHER) else _PATH
    old = split_list(get_string(text, path) or "")
    if not wanted.present:
        new = without_allowed(old, wanted.sysctls)
    else:
        needed = [key for key in sorted(wanted.sysctls) if needs_allowing(key, wanted.kubernetes)]
        new = with_allowed(old, needed)
    if new != old:
        text = set_string(text, path, ",".join(new)) if new else remove_key(text, path)
    return text, tuple(old), tuple(new)


def _by_hand(wanted: Wanted) -> str:
    return f"'{FLAG}: \"{','.join(sorted(wanted.sysctls))}\"'"
