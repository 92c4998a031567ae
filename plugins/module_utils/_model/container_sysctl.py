# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of the sysctls of new containers on a host, per runtime: the plan, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple

from .file_change import FileChange, Restart


class Runtime(Enum):
    """What can give sysctls to new containers, or can't."""

    CRIO = "crio"
    PODMAN = "podman"
    CNI = "cni"
    RKE1 = "rke1"
    RKE2 = "rke2"
    K3S = "k3s"
    KUBELET = "kubelet"
    DOCKER = "docker"
    CONTAINERD = "containerd"


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    sysctls: keys with dots, values with single blanks. present: they are to be there, else not.
    kubernetes: (major, minor) of the kubelet, None where it isn't known.
    """

    sysctls: Mapping[str, str]
    present: bool = True
    cni_file: Optional[str] = None
    rke1_cluster_file: Optional[str] = None
    kubelet_config_directory: Optional[str] = None
    kubernetes: Optional[Tuple[int, int]] = None


@dataclass(frozen=True)
class RuntimePlan:
    """The plan for one runtime.

    change: None where nothing is to be written; reason says why then, or what is noteworthy about the change.
    blocked: what is wanted can't be had here, and reason says what a person can do about it.
    before, after: the sysctls that its files give to new containers; for kubelet those that pods may ask for, each
    with the value "allowed". refused: keys that this runtime can't set, with the reason.
    keeps: what happens to containers that run. snippets: text to use where the runtime offers nothing, by kind.
    """

    runtime: Runtime
    found: bool = True
    change: Optional[FileChange] = None
    reason: str = ""
    blocked: bool = False
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    restart: Optional[Restart] = None
    keeps: str = ""
    snippets: Mapping[str, str] = field(default_factory=dict)

    def as_result(self) -> Dict[str, Any]:
        """Return what the module says about this runtime."""
        return {
            "runtime": self.runtime.value,
            "found": self.found,
            "written": [self.change.path] if self.change else [],
            "reason": self.reason,
            "blocked": self.blocked,
            "before": dict(self.before),
            "after": dict(self.after),
            "refused": dict(self.refused),
            "restart": self.restart.as_fact() if self.restart and self.change else None,
            "running": self.keeps,
            "snippets": dict(self.snippets),
        }
