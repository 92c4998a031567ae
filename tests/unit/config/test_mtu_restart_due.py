# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart stays due until what runs has what the files say, however often the files are found to be right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Union

from kubernetes_nodes import carry_out

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
WISH = MtuWish(underlay_mtu=1450, pod_mtu=1400)
GENERATED = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
SUBNET_ENV = "/run/flannel/subnet.env"
VXLAN = '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}'
RESTART = {"unit": "k3s.service", "command": "systemctl restart k3s"}
LINK = "ip link set dev flannel.1 mtu 1400"
HOUR = 3600.0


def second_run(host: Host, in_force: str, started_since: bool = False) -> StackPlan:
    """Plan again on a node of K3s whose files were written by a first run; in_force: its subnet.env."""
    host("/etc/systemd/system/multi-user.target.wants/k3s.service", "")
    host("/sys/class/net/flannel.1/mtu", "1450\n")
    root = Path(host(GENERATED, VXLAN))
    first = plan_stack(str(root), Stack.K3S, WISH)
    carry_out(root, first)
    for change in first.changes:
        os.utime(root / change.path.lstrip("/"), (HOUR, HOUR))
    host(SUBNET_ENV, in_force)
    when = 2 * HOUR if started_since else 0.0
    os.utime(root / SUBNET_ENV.lstrip("/"), (when, when))
    return plan_stack(str(root), Stack.K3S, WISH)


def test_files_that_k3s_has_not_read_yet_leave_the_restart_due(host: Host) -> None:
    again = second_run(host, "FLANNEL_MTU=1450\n")
    assert again.changes == ()
    result = again.as_result()
    assert (result["restart"], result["before_restart"]) == (RESTART, [LINK])
    assert result["keeping"] == [{"link": "flannel.1", "mtu": 1400}]
    assert again.reason.endswith("is so already, but K3s has not read it yet: new pods get 1450 until it is restarted")


def test_once_k3s_has_read_them_no_restart_is_due(host: Host) -> None:
    again = second_run(host, "FLANNEL_MTU=1400\n", started_since=True)
    result = again.as_result()
    assert (again.changes, result["restart"]) == ((), None)
    # The restart came before the device was set: setting it is all that is left.
    assert result["before_restart"] == [LINK]
    assert again.reason.endswith("is so already; flannel.1 has another MTU yet: set it, which needs no restart")


def test_a_restart_that_was_to_no_avail_is_not_asked_for_again(host: Host) -> None:
    again = second_run(host, "FLANNEL_MTU=1450\n", started_since=True)
    assert again.as_result()["restart"] is None
    assert "K3s was started since, and new pods get 1450 all the same" in again.reason
    assert "flannel v0.21.3" in again.reason and "K3s v1.21" in again.reason


def test_a_node_whose_flannel_never_ran_has_nothing_to_restart(host: Host) -> None:
    again = second_run(host, "")
    assert again.as_result()["restart"] is None


def test_the_tunnel_of_rke2_is_named_as_long_as_it_has_another_mtu(host: Host) -> None:
    host("/sys/class/net/flannel.1/mtu", "1450\n")
    root = Path(host("/var/lib/rancher/rke2/server/manifests/x", ""))
    carry_out(root, plan_stack(str(root), Stack.RKE2, WISH))
    host(SUBNET_ENV, "FLANNEL_MTU=1450\n")
    again = plan_stack(str(root), Stack.RKE2, WISH)
    assert (again.changes, again.as_result()["restart"]) == ((), None)
    assert again.patches != () and again.as_result()["before_restart"] == [LINK]
