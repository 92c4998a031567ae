# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose keys are, as this kernel has it; and what the real CNI plugin makes of a chain that got our sysctls."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.cni_tuning import with_tuning
from ansible_collections.netfit.cluster.plugins.module_utils._facts.key_scopes import (
    look_into_a_new_namespace,
    scopes_for_containers,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_scope import scope_by_name

CONTAINERS = ("net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_keepalive_time", "net.ipv4.conf.all.rp_filter")
HOSTS = ("net.core.netdev_max_backlog", "net.core.rmem_max", "net.ipv4.tcp_mem", "net.core.default_qdisc")
PLUGIN = Path("/usr/lib/cni/tuning")


def test_the_kernel_says_whose_a_key_is() -> None:
    scopes = scopes_for_containers([*CONTAINERS, *HOSTS])
    assert [key for key in CONTAINERS if scopes[key].reason] == []
    assert [key for key in HOSTS if not scopes[key].reason] == []
    assert all(scopes[key].example is not None for key in CONTAINERS)


def test_names_tell_the_same_as_the_kernel_for_every_key_that_there_is() -> None:
    # A key that a later kernel moves belongs into the table, or out of it.
    names = subprocess.run(["sysctl", "-aN"], capture_output=True, text=True, check=True).stdout.split()
    keys = [key for key in names if key.startswith("net.")]
    looked = scopes_for_containers(keys)
    assert [key for key in keys if bool(looked[key].reason) != bool(scope_by_name(key).reason)] == []


def test_looking_leaves_the_thread_and_its_namespace_alone() -> None:
    before = os.readlink("/proc/self/ns/net")
    assert look_into_a_new_namespace(["net.core.somaxconn"]) is not None
    assert os.readlink("/proc/self/ns/net") == os.readlink("/proc/thread-self/ns/net") == before


@pytest.fixture
def namespace() -> Iterator[str]:
    """The path of a network namespace with a dummy eth0."""
    name = f"nf-tuning-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        yield f"/run/netns/{name}"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_the_real_plugin_sets_the_sysctls_and_its_check_finds_them(namespace: str) -> None:
    sysctls = {"net.core.somaxconn": "1234", "net.ipv4.tcp_rmem": "4096 131072 7000000"}
    chain = json.loads(with_tuning('{"plugins": [{"type": "bridge"}]}', sysctls))["plugins"]
    result = {"cniVersion": "0.4.0", "interfaces": [{"name": "lo", "sandbox": namespace}], "ips": [], "routes": []}
    configuration = json.dumps({"cniVersion": "0.4.0", "name": "own", **chain[1], "prevResult": result})
    for command in ("ADD", "CHECK"):
        variables = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": "nf",
            "CNI_NETNS": namespace,
            "CNI_IFNAME": "lo",
            "CNI_PATH": str(PLUGIN.parent),
        }
        done = subprocess.run(
            [PLUGIN], input=configuration, env=variables, capture_output=True, text=True, check=False, timeout=20
        )
        assert done.returncode == 0, done.stdout
    for key, value in sysctls.items():
        shown = subprocess.run(
            ["ip", "netns", "exec", Path(namespace).name, "cat", f"/proc/sys/{key.replace('.', '/')}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout.split() == value.split()
