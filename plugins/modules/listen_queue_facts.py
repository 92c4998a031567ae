#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about listen queues."""

from __future__ import annotations

DOCUMENTATION = r"""
module: listen_queue_facts
short_description: Gather every listening TCP socket with its effective backlog, queues and drops
description:
  - Reads, for the host and for every network namespace on it, each listening TCP socket with the backlog that is in
    effect, the connections that wait in its two queues, and the drops of that very socket.
  - Names the process, the systemd unit and the owner of each.
  - Reads the counters of each network namespace that tell about overflowing queues, retransmissions and packets
    that were too big, and makes rates of them over O(sample_interval).
version_added: 0.1.0
extends_documentation_fragment:
  - netfit.cluster.facts
  - netfit.cluster.facts.sample_interval
seealso:
  - module: netfit.cluster.network_facts
    description: Gathers these, MTUs and sysctls in one visit to each network namespace.
"""

EXAMPLES = r"""
---
- name: Read the listen queues
  netfit.cluster.listen_queue_facts:
    sample_interval: 5

- name: Show who dropped connections
  ansible.builtin.debug:
    msg: "{{ item.owner.name }} port {{ item.port }}: {{ item.drops }} dropped, backlog {{ item.effective_backlog }}"
  loop: >-
    {{ ansible_facts['netfit_listen_queues'].namespaces | map(attribute='listeners') | flatten
       | selectattr('drops', 'gt', 0) }}
"""

RETURN = r"""
ansible_facts:
  description: Facts to add to ansible_facts.
  returned: always
  type: dict
  contains:
    netfit_listen_queues:
      description: Listening sockets and counters.
      returned: always
      type: dict
      contains:
        kernel:
          description: The kernel's release.
          returned: always
          type: str
          sample: 6.1.0-28-amd64
        sample_interval:
          description: Seconds over which rates were made. V(0) when there are none.
          returned: always
          type: float
          sample: 1.0
        namespaces:
          description: >-
            The network namespaces, the host's first, with C(inode), C(owner), C(paths), C(somaxconn), C(syncookies),
            C(max_syn_backlog), C(listeners), C(counters) and C(rates) (a second).
          returned: always
          type: list
          elements: dict
          contains:
            listeners:
              description: >-
                The listening sockets with C(family), C(address), C(port), C(effective_backlog), C(queue), C(syn_queue),
                C(drops), C(drop_rate), C(process), C(unit) and C(owner).
              returned: always
              type: list
              elements: dict
              sample: [{family: ipv4, address: 0.0.0.0, port: 8080, effective_backlog: 128, queue: 0, syn_queue: 0,
                        drops: 17, process: {pid: 4242, name: nginx}}]
            counters:
              description: Counters since the network namespace was made.
              returned: always
              type: dict
              sample: {TcpExt.ListenOverflows: 17}
        problems:
          description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
          returned: always
          type: list
          elements: dict
          sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import SAMPLE_INTERVAL, run_facts_module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import Subset


def main() -> None:
    """Gather and exit."""
    module = AnsibleModule(argument_spec={"sample_interval": SAMPLE_INTERVAL}, supports_check_mode=True)
    run_facts_module(module, {Subset.LISTEN_QUEUES})


if __name__ == "__main__":
    main()
