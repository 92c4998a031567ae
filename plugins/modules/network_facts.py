#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts in one visit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_facts
short_description: Gather MTU, sysctl and listen queue facts in one visit to each network namespace
description:
  - Gathers what M(netfit.cluster.mtu_facts), M(netfit.cluster.sysctl_facts) and M(netfit.cluster.listen_queue_facts)
    gather, and enters each network namespace only once for it (twice where rates are asked for).
  - The playbook C(netfit.cluster.audit) uses it.
version_added: 0.1.0
extends_documentation_fragment:
  - netfit.cluster.facts
  - netfit.cluster.facts.route_limit
  - netfit.cluster.facts.sample_interval
options:
  gather_subset:
    description: What to gather.
    type: list
    elements: str
    choices: [mtu, sysctl, listen_queues]
    default: [mtu, sysctl, listen_queues]
  sysctl_keys:
    description: The sysctls to read. See O(netfit.cluster.sysctl_facts#module:keys).
    type: list
    elements: str
seealso:
  - module: netfit.cluster.mtu_facts
  - module: netfit.cluster.sysctl_facts
  - module: netfit.cluster.listen_queue_facts
"""

EXAMPLES = r"""
---
- name: Gather everything
  netfit.cluster.network_facts:

- name: Gather listen queues and sysctls, with rates over five seconds
  netfit.cluster.network_facts:
    gather_subset:
      - sysctl
      - listen_queues
    sample_interval: 5
"""

RETURN = r"""
ansible_facts:
  description: Facts to add to ansible_facts, those of the subsets that were asked for.
  returned: always
  type: dict
  contains:
    netfit_mtu:
      description: See RV(netfit.cluster.mtu_facts#module:ansible_facts.netfit_mtu).
      returned: when O(gather_subset) has V(mtu)
      type: dict
      sample: {kernel: 6.1.0-28-amd64, namespaces: [], declared: [], node_ports: [], problems: []}
    netfit_sysctl:
      description: See RV(netfit.cluster.sysctl_facts#module:ansible_facts.netfit_sysctl).
      returned: when O(gather_subset) has V(sysctl)
      type: dict
      sample: {kernel: 6.1.0-28-amd64, scopes: {}, namespaces: [], files: {}, problems: []}
    netfit_listen_queues:
      description: See RV(netfit.cluster.listen_queue_facts#module:ansible_facts.netfit_listen_queues).
      returned: when O(gather_subset) has V(listen_queues)
      type: dict
      sample: {kernel: 6.1.0-28-amd64, sample_interval: 1.0, namespaces: [], problems: []}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import (
    ROUTE_LIMIT,
    SAMPLE_INTERVAL,
    SYSCTL_KEYS,
    run_facts_module,
)
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import Subset


def main() -> None:
    """Gather and exit."""
    subsets = [subset.value for subset in Subset]
    module = AnsibleModule(
        argument_spec={
            "gather_subset": {"type": "list", "elements": "str", "choices": subsets, "default": subsets},
            "sysctl_keys": SYSCTL_KEYS,
            "route_limit": ROUTE_LIMIT,
            "sample_interval": SAMPLE_INTERVAL,
        },
        supports_check_mode=True,
    )
    run_facts_module(module, {Subset(name) for name in module.params["gather_subset"]})


if __name__ == "__main__":
    main()
