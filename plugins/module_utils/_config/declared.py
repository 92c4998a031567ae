# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All MTUs that the configuration files of a host declare."""

from __future__ import annotations

from typing import List, Tuple

from .._model.declared import DeclaredMtu
from .._model.fact import Problem
from .calico import read_calico
from .cni import declare_cni_mtus
from .cni_networks import read_cni_networks
from .declarations import Declarations
from .docker_daemon import docker_data_root, read_docker_daemon
from .docker_networks import read_docker_networks
from .flannel import read_flannel
from .link_declarations import read_link_managers
from .podman import read_podman_networks


def read_declared_mtus(root: str) -> Tuple[List[DeclaredMtu], List[Problem]]:
    """Return what the files below ``root`` ("/" on a real host) declare, and what could not be read.

    A file that is absent is no problem; one that is there and can't be read or understood is, and the rest goes on.
    """
    declarations = Declarations(root)
    read_flannel(declarations)
    networks = read_cni_networks(declarations)
    declare_cni_mtus(declarations, networks)
    read_calico(declarations, networks)
    read_docker_daemon(declarations)
    read_docker_networks(declarations, docker_data_root(declarations))
    read_podman_networks(declarations)
    read_link_managers(declarations)
    # The same file may have been asked for twice.
    return declarations.mtus, list(dict.fromkeys(declarations.problems))
