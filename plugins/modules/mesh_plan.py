#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_plan
short_description: Says which paths each host has to measure
version_added: 0.2.0
description:
  - Plans who probes whom, and says for each path what it ought to carry by the facts of both its ends.
  - Who meets whom follows from the sorted names and zones of all nodes alone, so that every slice, batch or pull run
    makes the same plan. Up to 30 nodes, all pairs meet; beyond that each node meets those that are 1, 2, 4, 8 ...
    places after it, and of each two zones one pair meets.
  - Each pair is measured once, in both directions, by one of its ends. Where that end does not take part in the run,
    the other one measures.
  - Runs on the controller and touches no target. Use it once, with C(run_once), after
    M(netfit.cluster.network_facts).
  - The variable C(netfit_address) of a host is its address as its peers see it; by default the source address of its
    default route, else C(ansible_host), else its name. The variable C(netfit_zone) names its zone.
options:
  probe:
    description: Which paths to measure.
    type: str
    choices:
      none: None.
      hosts: Those between hosts.
      pods: Those between pods of different nodes, and from hosts to pods of other nodes.
      all: All of these, and those from the hosts of O(vantage_group) to the nodes' TCP ports.
    default: all
  hosts:
    description:
      - Names of all nodes of the inventory, also of those that are not part of this run. By default all hosts of the
        play.
    type: list
    elements: str
  peers:
    description:
      - Nodes that are not in the inventory of this run, each with C(name), C(address), and where there are any
        C(zone) and C(pods), which have C(name), C(address) and C(network).
      - They answer by ICMP and cannot be asked to probe. With C(audited) being true, a peer is a host of another slice
        of the same audit, which measures from it.
      - A list of mappings. Anything else is refused with the place, the value and what is allowed.
    type: raw
  responder_port:
    description: The UDP port of responders.
    type: int
    default: 47815
  responders:
    description: Whether there are responders. In check mode there are none.
    type: bool
    default: true
  vantage_group:
    description: Group of hosts outside the cluster, which measure what clients get and take no other part.
    type: str
    default: vantage
  node_ports:
    description: TCP ports of the nodes that the hosts of O(vantage_group) measure.
    type: list
    elements: int
    default: []
  expect:
    description: What is expected of a path by the facts of both its ends.
    type: str
    choices:
      carried: >-
        The narrowest link that the facts know on the way, overlays included. A path that measures less has a fault
        that the facts don't show.
      promised: >-
        The narrower of the ends' own links, which is what the ends announce to each other as MSS. For a path from a
        host to a pod that is what the pod announces to clients that come in by that host. A path that carries less
        works only as long as ICMP arrives.
    default: carried
  expected_mtu:
    description: Bytes that every path ought to carry, whatever the facts say.
    type: int
  timeout:
    description: Seconds that measuring takes on a host at most. The lifetime of responders follows from it.
    type: float
    default: 10.0
  gathered_in:
    description:
      - Name of the variable in which the task that gathered facts was registered. Where it says that a host failed or
        could not be reached, facts of that host are those that a fact cache kept of an earlier run, and are not used.
    type: str
    default: netfit_gathered
    version_added: 0.5.0
  slice:
    description:
      - Which slice of an audit this play is, where there are several. Then every host of O(hosts) and every audited one
        of O(peers) has its rows measured by its own slice, and hosts outside this play are planned as
        M(netfit.cluster.slice) learned of them.
    type: dict
    version_added: 0.5.0
    suboptions:
      name:
        description: The name of this slice. Without, it is none.
        type: str
      directory:
        description: The directory that all slices share.
        type: str
        default: netfit-report
      run:
        description: A name that the slices of one audit share and no other has.
        type: str
        default: ''
      wait:
        description: Seconds that slices wait for each other. The lifetime of responders follows from it.
        type: float
        default: 0.0
attributes:
  check_mode:
    description: Can run in check mode and return the same as without, but that nobody has to answer.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.mesh_results
  - module: netfit.cluster.network_facts
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Gather what the plan needs
  netfit.cluster.network_facts:

- name: Plan who measures which paths
  netfit.cluster.mesh_plan:
    hosts: "{{ groups['all'] }}"
    peers:
      - name: edge1
        address: 203.0.113.7
        zone: west
  run_once: true
  register: mesh

- name: Show what this host has to measure
  ansible.builtin.debug:
    msg: "{{ mesh.hosts[inventory_hostname].targets | map(attribute='name') }}"
"""

RETURN = r"""
hosts:
  description: >-
    What each host of the play has to do. C(targets) is the list that the option of that name of the module for paths
    takes, C(tcp_targets) that of the module for TCP paths, and C(responder_sources) where others expect answers, an
    empty entry being the host itself.
  returned: success
  type: dict
  sample:
    n1:
      targets:
        - address: 10.42.2.5
          name: n1 to pod prod/gateway on n2
          method: auto
          expected_mtu: 1450
          responder_port: 47815
          about:
            class: host-pod
            peer: {host: n2, owner: {kind: pod, name: prod/gateway}}
            expected_because: flannel.1 of n1 1450, flannel.1 of n2 1450, pod prod/gateway on n2 1500
      tcp_targets: []
      responder_sources: [{}]
left_out:
  description: Paths of the plan that nobody measures, with C(name) and C(reason).
  returned: success
  type: list
  elements: dict
  sample: []
responder_lifetime:
  description: Seconds after which responders are no longer needed, whatever happens.
  returned: success
  type: int
  sample: 80
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "probe": {"type": "str", "choices": ["none", "hosts", "pods", "all"], "default": "all"},
            "hosts": {"type": "list", "elements": "str"},
            "peers": {"type": "raw"},
            "responder_port": {"type": "int", "default": 47815},
            "responders": {"type": "bool", "default": True},
            "vantage_group": {"type": "str", "default": "vantage"},
            "node_ports": {"type": "list", "elements": "int", "default": []},
            "expect": {"type": "str", "choices": ["carried", "promised"], "default": "carried"},
            "expected_mtu": {"type": "int"},
            "timeout": {"type": "float", "default": 10.0},
            "gathered_in": {"type": "str", "default": "netfit_gathered"},
            "slice": {
                "type": "dict",
                "options": {
                    "name": {"type": "str"},
                    "directory": {"type": "str", "default": "netfit-report"},
                    "run": {"type": "str", "default": ""},
                    "wait": {"type": "float", "default": 0.0},
                },
            },
        },
        supports_check_mode=True,
    )
    module.fail_json(
        msg="netfit.cluster.mesh_plan works on the controller, by its action plugin: call it from a playbook"
    )


if __name__ == "__main__":
    main()
