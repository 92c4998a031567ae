# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory by which Ansible, run as the lab's controller, reaches the hosts."""

from __future__ import annotations

import shlex
from typing import Any

import yaml

from .requirements import python_of
from .state import Paths
from .topology import Topology


def inventory(paths: Paths, topology: Topology) -> dict[str, Any]:
    """Return the inventory as Ansible's yaml plugin reads it."""
    common = [
        "-F", "none", "-o", f"UserKnownHostsFile={paths.known_hosts}", "-o", "GlobalKnownHostsFile=none",
        "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
    ]  # fmt: skip
    shared = {
        "ansible_user": "root",
        "ansible_connection": "ssh",
        "ansible_ssh_private_key_file": str(paths.keys / "id"),
        "ansible_ssh_common_args": shlex.join(common),
        # OpenSSH's shared connections are named by address: another lab with the same ones must not be met there.
        "ansible_control_path_dir": str(paths.control_sockets),
    }
    hosts = {
        host.name: {
            "ansible_host": host.address,
            "ansible_python_interpreter": python_of(host.python) or host.python,
            **host.variables,
        }
        for host in topology.hosts.values()
    }
    groups: dict[str, Any] = {}
    for host in topology.hosts.values():
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    document: dict[str, Any] = {"hosts": hosts, "vars": shared}
    if groups:
        document["children"] = groups
    return {"all": document}


def as_yaml(paths: Paths, topology: Topology) -> str:
    """Return the inventory as YAML text."""
    return "---\n" + yaml.safe_dump(inventory(paths, topology), sort_keys=False, width=200)


def known_hosts(topology: Topology, host_public_key: str) -> str:
    """Return the known-hosts file: every host of a lab has the lab's host key."""
    kind, key = host_public_key.split()[:2]
    addresses = [str(item.address.ip) for host in topology.hosts.values() for item in host.attachments]
    return "".join(f"{name} {kind} {key}\n" for name in (*topology.hosts, *addresses))
