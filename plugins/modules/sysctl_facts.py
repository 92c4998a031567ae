#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about sysctls."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_facts
short_description: Gather live sysctl values of every network namespace, and the scope of each key
description:
  - Reads the live values of network sysctls for the host and for every network namespace on it, and says whose
    network namespace it is.
  - Finds out the scope of each key by looking, not by the kernel's version. A key that other network namespaces
    lack, or show read-only, can be set on the host only. A key that they can write belongs to each of them, and
    the host's value says nothing about a container's.
version_added: 0.1.0
extends_documentation_fragment:
  - netfit.cluster.facts
options:
  keys:
    description:
      - The sysctls to read, with dots or with slashes as separators. Only those below C(net) are known here.
      - By default those that decide about listen queues, buffers, keep-alive and path MTU.
    type: list
    elements: str
seealso:
  - module: netfit.cluster.network_facts
    description: Gathers these, MTUs and listen queues in one visit to each network namespace.
"""

EXAMPLES = r"""
---
- name: Read the sysctls of the host and of all containers
  netfit.cluster.sysctl_facts:

- name: Read two of them
  netfit.cluster.sysctl_facts:
    keys:
      - net.core.somaxconn
      - net.ipv4.tcp_keepalive_time
"""

RETURN = r"""
ansible_facts:
  description: Facts to add to ansible_facts.
  returned: always
  type: dict
  contains:
    netfit_sysctl:
      description: Live values and scopes.
      returned: always
      type: dict
      contains:
        kernel:
          description: The kernel's release.
          returned: always
          type: str
          sample: 6.1.0-28-amd64
        scopes:
          description: >-
            Of each key that the host has, V(namespace) (each network namespace has its own value), V(host) (only the
            host's can be set) or V(unknown) (there was no second network namespace to look into).
          returned: always
          type: dict
          sample: {net.core.somaxconn: namespace, net.core.netdev_max_backlog: host}
        namespaces:
          description: >-
            The network namespaces, the host's first, with C(inode), C(owner), C(paths) and C(values), a dict from key
            to C(value) (text, blanks folded), C(writable) and C(error) (why there is no value). A key that a network
            namespace does not have is not in it.
          returned: always
          type: list
          elements: dict
          sample: [{inode: 4026531840, owner: {kind: host, name: n1},
                    values: {net.core.somaxconn: {value: "4096", writable: true, error: null}}}]
        problems:
          description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
          returned: always
          type: list
          elements: dict
          sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import SYSCTL_KEYS, run_facts_module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import Subset


def main() -> None:
    """Gather and exit."""
    module = AnsibleModule(argument_spec={"keys": SYSCTL_KEYS}, supports_check_mode=True)
    run_facts_module(module, {Subset.SYSCTL})


if __name__ == "__main__":
    main()
