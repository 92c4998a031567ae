#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: locate_drop
short_description: Brings together what several hosts saw of a trace, and says where its packets end
version_added: 0.2.0
description:
  - Takes what M(netfit.cluster.packet_trace_info) collected on each host of a path, brings the interfaces into the
    order of the way that the packets took, and says between which two of them the larger ones end, and why.
  - Shows the way in the terminal, a line for each interface, with the place marked.
  - Runs on the controller and touches no target.
options:
  scope:
    description: What to do.
    type: str
    choices:
      locate: Say where packets end.
      name: Only make up a name for a trace, for the option O(netfit.cluster.packet_trace_info#module:run).
    default: locate
  burst:
    description: The registered result of the phase V(send), or RV(netfit.cluster.packet_trace_info#module:burst) of it.
    type: dict
  sender:
    description: Name of the host that sent, as in O(traces).
    type: str
  traces:
    description:
      - The registered results of the phase V(collect) by the name of the host, or
        RV(netfit.cluster.packet_trace_info#module:trace) of them.
      - A host whose result has no trace is listed in RV(problems).
    type: dict
  show:
    description: Show the way in the terminal.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and return the same as without.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.packet_trace_info
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Give the trace a name
  netfit.cluster.locate_drop:
    scope: name
  run_once: true
  register: named

- name: Say where packets of n1 end, after phase send on it and phase collect on all hosts
  netfit.cluster.locate_drop:
    burst: "{{ hostvars['n1'].sent }}"
    sender: n1
    traces: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'collected'))) }}"
  run_once: true
"""

RETURN = r"""
run:
  description: A name for a trace.
  returned: for O(scope=name)
  type: str
  sample: netfit-0b2c6a5a9f1e4d77
drops:
  description: Where packets are dropped, as RV(netfit.cluster.packet_trace_info#module:drops).
  returned: for O(scope=locate)
  type: list
  elements: dict
  sample: [{kind: too big, text: "packets of 1500 bytes end between eth0 and flannel.1 of n1: too big to be forwarded"}]
steps:
  description: >-
    The interfaces on the way over all hosts, in order, as RV(netfit.cluster.packet_trace_info#module:steps).
  returned: for O(scope=locate)
  type: list
  elements: dict
  sample: [{spot: {host: n1, link: eth0, direction: in, mtu: 1500}, passing: 20, failing: 20, tunnel: null}]
problems:
  description: What could not be seen, with the host in C(subject), and why.
  returned: for O(scope=locate)
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "scope": {"type": "str", "choices": ["name", "locate"], "default": "locate"},
            "burst": {"type": "dict"},
            "sender": {"type": "str"},
            "traces": {"type": "dict"},
            "show": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    module.fail_json(
        msg="netfit.cluster.locate_drop works on the controller, by its action plugin: use it in a playbook"
    )


if __name__ == "__main__":
    main()
