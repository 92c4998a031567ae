# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU plan of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, Optional, Sequence

from ansible.errors import AnsibleFilterError

from ..plugin_utils._plan.hosts import read_hosts
from ..plugin_utils._plan.make import make_plan
from ..plugin_utils._plan.wish import PlanError, read_wish
from ..plugin_utils._rules.plain import plain_copy
from ..plugin_utils._rules.policy import PolicyError, load_policy

DOCUMENTATION = r"""
name: mtu_plan
short_description: Plans the MTUs of a cluster
version_added: 0.4.0
description:
  - From the facts of all hosts, the paths that were measured and the policy follows which MTU each link and each
    setting is to have, in which order the links are changed, and what that means for what runs.
  - What the network between the nodes carries is measured where it was, and else what its links claim; the plan says
    which.
  - Nothing is made larger unless O(raise) says so, and hosts' own links are not touched unless O(uplinks) says so.
  - Pure arithmetic on the controller. The plan of a cluster that is as planned holds no changes.
options:
  _input:
    description:
      - C(hostvars), or a mapping of host names to their C(ansible_facts). What M(netfit.cluster.network_facts) and
        M(netfit.cluster.assess) left there is used.
    type: dict
    required: true
  hosts:
    description: Names of the hosts to plan for. By default all that are in the input.
    type: list
    elements: str
  policy:
    description: What differs from the default policy, a mapping or the path of a YAML file. Its part C(mtu) counts.
    type: raw
  underlay_mtu:
    description:
      - Bytes that the network between the nodes carries, in the place of what was measured. More than was measured, or
        than a link can send, is refused.
    type: int
  raise:
    description: Whether links and settings are made larger, too, where they could carry more. By default the policy's.
    type: bool
  uplinks:
    description:
      - V(keep) leaves the hosts' own links alone, V(lower) gives them what their paths carry, and a number is the MTU
        that they get. By default the policy's.
    type: str
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Show what would be changed
  ansible.builtin.debug:
    msg: "{{ (hostvars | netfit.cluster.mtu_plan(hosts=ansible_play_hosts_all)) | netfit.cluster.mtu_plan_text }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    hosts:
      description:
        - By host. C(underlay) (C(link), C(link_mtu), C(path_mtu), C(peer), C(source) and C(mtu), which is
          what this host can build on), C(underlay_mtu) and C(cluster_underlay_mtu) (what its whole cluster
          carries), C(encapsulation), C(family), C(overhead), C(pod_mtu), C(container_mtu); C(wish), which is
          what module C(cni_mtu) is to be asked for, with C(raise), without which its C(container_mtu) makes nothing
          larger; C(live), C(tunnels) and C(uplinks), each a list
          that module C(link_mtu) takes, and C(steps), all of them in their order; C(routes),
          C(knobs), C(restarts), C(disruption), C(stays_broken), C(notes), C(waits_for_owner), and C(changes),
          how many there are.
      type: dict
    cluster:
      description: >-
        C(groups) of hosts of one cluster, with the value of every setting; C(changes), C(changed_hosts).
      type: dict
    not_planned:
      description: Hosts without a plan, each with C(host) and C(reason).
      type: list
      elements: dict
"""

OPTIONS = ("underlay_mtu", "raise", "uplinks")


def mtu_plan(
    variables: Any, hosts: Optional[Sequence[str]] = None, policy: Any = None, **options: Any
) -> Dict[str, Any]:
    """Return the plan. Raises AnsibleFilterError where the input or an option is not what it has to be."""
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError("mtu_plan: the input must be hostvars, or a mapping of hosts to their ansible_facts")
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise AnsibleFilterError(f"mtu_plan: no such option: {', '.join(unknown)}; known are {', '.join(OPTIONS)}")
    names = [str(name) for name in (variables if hosts is None else hosts)]
    absent = sorted(name for name in names if name not in variables)
    if absent:
        raise AnsibleFilterError(f"mtu_plan: hosts: {', '.join(absent)} not in the input")
    try:
        wish = read_wish(load_policy(plain_copy(policy)), options)
        return make_plan(*read_hosts(variables, names), wish)
    except (PlanError, PolicyError) as error:
        raise AnsibleFilterError(f"mtu_plan: {error}") from error


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"mtu_plan": mtu_plan}
