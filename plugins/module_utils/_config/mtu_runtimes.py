# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which container runtimes a host has, and what gives their new containers an MTU."""

from __future__ import annotations

from typing import Callable, Dict, List, Tuple

from .._model.mtu_config import MtuWish, Stack, StackPlan
from .mtu_cni import is_administrators, nerdctl_files, plan_cni_mtu, plan_nerdctl_mtu, pod_network_file
from .mtu_docker import plan_docker_mtu
from .mtu_podman import plan_podman_mtu
from .reading import exists

PROGRAM_DIRECTORIES = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/opt/bin")

_SIGNS: Dict[Stack, Tuple[str, ...]] = {
    Stack.DOCKER: (*(f"{directory}/dockerd" for directory in PROGRAM_DIRECTORIES), "/etc/docker/daemon.json"),
    Stack.PODMAN: tuple(f"{directory}/podman" for directory in PROGRAM_DIRECTORIES),
    Stack.NERDCTL: tuple(f"{directory}/nerdctl" for directory in PROGRAM_DIRECTORIES),
}

RUNTIME_PLANNERS: Dict[Stack, Callable[[str, MtuWish], StackPlan]] = {
    Stack.CNI: plan_cni_mtu,
    Stack.DOCKER: plan_docker_mtu,
    Stack.PODMAN: plan_podman_mtu,
    Stack.NERDCTL: plan_nerdctl_mtu,
}
"""Each raises Blocked and UnreadableFile."""


def find_runtime_stacks(root: str, wish: MtuWish) -> List[Stack]:
    """Return the runtimes that the host has, by looking. Raises UnreadableFile.

    CNI is among them where the configuration in force for pods is the administrator's, or one is named.
    """
    found = [stack for stack, paths in _SIGNS.items() if any(exists(root, path) for path in paths)]
    if Stack.NERDCTL not in found and nerdctl_files(root):
        found.append(Stack.NERDCTL)
    file = wish.cni_file or pod_network_file(root)
    if wish.cni_file or (file is not None and is_administrators(root, file)):
        found.append(Stack.CNI)
    return [stack for stack in Stack if stack in found]
