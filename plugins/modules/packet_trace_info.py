#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on its way a packet is dropped."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packet_trace_info
short_description: Say between which two interfaces packets of a size are dropped, and why
version_added: 0.2.0
description:
  - Sends a few tagged packets of a size that passes and of one that does not, and watches them at every interface of
    every network namespace of this host at the same time, plain, inside tunnels, behind address translation, and
    quoted by ICMP messages.
  - Says between which two interfaces the larger ones end, and why, from the counters of the kernel, the counters of
    firewall rules, and the kernel's own drop reasons; and what became of the ICMP message about it.
  - For a path over several hosts, O(phase=watch) runs on all of them, O(phase=send) on the one that sends,
    O(phase=collect) on all of them again, and M(netfit.cluster.locate_drop) brings together what they saw. The
    playbook C(netfit.cluster.trace) does that.
  - O(phase=all) does all of it on one host.
options:
  phase:
    description: What to do.
    type: str
    default: all
    choices:
      all: Watch, send and say where packets are dropped, on this host alone.
      watch: Start a process that watches until O(phase=collect), but not longer than O(lifetime).
      send: Send the packets.
      collect: End the watching process and return what it saw.
  run:
    description:
      - Name of the trace, the same in all phases on all hosts, and a new one for every trace. Packets are known by it.
      - 8 to 64 letters, digits, C(.), C(_) and C(-). Only with O(phase=all) it may be left out.
    type: str
  target:
    description: Address or name to send to. Needed to send.
    type: str
  source:
    description: The network namespace to send from, at most one of the following. By default that of the host.
    type: dict
    suboptions:
      pod:
        description: That of a pod, as C(namespace/name).
        type: str
      container:
        description: That of a container, by its name or the first 12 or more digits of its id.
        type: str
      namespace:
        description: The one with this inode or path.
        type: str
  protocol:
    description:
      - What to send.
      - V(tcp) sends full-size SYN packets to O(port). They open no connection.
      - V(icmp) is refused for IPv6, because the kernel would remember a path MTU from it.
    type: str
    default: auto
    choices:
      auto: V(icmp) with IPv4, V(udp) with IPv6.
      icmp: Echo requests.
      udp: Datagrams to O(port).
      tcp: SYN packets to O(port).
  port:
    description: Destination port. Needed with O(protocol=tcp); with O(protocol=udp) it is 33434 by default.
    type: int
  size:
    description:
      - Bytes of the IP packets that are said not to pass.
      - By default the MTU of the link that has the address which is sent from.
    type: int
  passing_size:
    description: Bytes of the IP packets that pass. Must be less than O(size).
    type: int
    default: 576
  count:
    description: How many packets of each size are sent, one every 4 ms. At most 100.
    type: int
    default: 20
  hops:
    description:
      - Up to which time to live one packet of each size is sent besides, so that routers which are not ours show
        themselves. V(0) sends none. At most 16.
    type: int
    default: 8
  lifetime:
    description: Seconds after which the process of O(phase=watch) ends by itself. At most 600.
    type: int
    default: 60
  vxlan_ports:
    description: UDP destination ports of vxlan tunnels that are looked into.
    type: list
    elements: int
    default: [4789, 8472]
  geneve_ports:
    description: UDP destination ports of geneve tunnels that are looked into.
    type: list
    elements: int
    default: [6081]
extends_documentation_fragment: [netfit.cluster.probing]
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [Nothing is ever changed; packets are sent in check mode, too.]
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - root. Without CAP_SYS_ADMIN only the host's own network namespace is watched, and without C(tracefs) or C(nft) what
    these would tell is missing; RV(problems) says so.
notes:
  - No configuration, route or firewall rule changes, and the sender learns no path MTU. Where a router of a tunnel's
    underlay answers by ICMP to a tunnel's packet, the tunnel's own host learns from it, as it does from any traffic of
    that size.
  - The watching process, its sockets and its private C(tracefs) instance end with O(phase=collect) or O(lifetime). Its
    record in C(/run/netfit) is removed when it is collected, or else by the next trace.
  - Counters are those of a whole network namespace, and the kernel's drop reasons those of the whole machine. They
    count as evidence only as far as they fit the number and the moments of the packets that were lost.
seealso:
  - module: netfit.cluster.locate_drop
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Where do packets from the gateway's pod to a pod on the same host end?
  netfit.cluster.packet_trace_info:
    source:
      pod: prod/gateway
    target: 10.42.2.9
    size: 1500
  register: traced

- name: Show it
  ansible.builtin.debug:
    msg: "{{ traced.drops | map(attribute='text') }}"

- name: Watch on every host of a path
  netfit.cluster.packet_trace_info:
    phase: watch
    run: ticket-4711-a
"""

RETURN = r"""
run:
  description: Name of the trace.
  returned: success
  type: str
  sample: netfit-0b2c6a5a9f1e4d77
watched:
  description: Number of network namespaces that are watched.
  returned: for O(phase=watch)
  type: int
  sample: 12
burst:
  description: >-
    What was sent, with C(protocol), C(source), C(target), C(size), C(passing_size), C(count), C(sent) (packets of
    C(passing_size), and of C(size)), C(refused) (what the local kernel said where it did not take them), and C(link).
  returned: for O(phase=send) and O(phase=all)
  type: dict
  sample: {protocol: icmp, target: 10.42.2.5, size: 1500, passing_size: 576, count: 20, sent: [20, 20]}
trace:
  description: >-
    What this host saw, for M(netfit.cluster.locate_drop), with C(sightings) (packets at an interface in one direction),
    C(namespaces) with their links and counters, C(rules), C(kernel_drops), C(missed) (packets that the capture itself
    lost) and C(problems).
  returned: for O(phase=collect) and O(phase=all)
  type: dict
  sample: {host: n1, run: netfit-0b2c6a5a9f1e4d77, watched: 3, missed: 0}
steps:
  description: >-
    The interfaces on the way, in order, each with its C(spot) and how many packets of each size were seen (C(passing),
    C(failing)).
  returned: for O(phase=all)
  type: list
  elements: dict
  sample: [{spot: {host: n1, link: eth0, direction: in, mtu: 1500}, passing: 20, failing: 20, tunnel: null}]
drops:
  description: Where packets are dropped.
  returned: for O(phase=all)
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        Why. V(too big), V(tunnel), V(segment), V(bridge), V(firewall), V(reverse path filter), V(listen overflow),
        V(other), V(beyond our hosts) or V(none).
      returned: always
      type: str
      sample: too big
    text:
      description: All of it in a sentence.
      returned: always
      type: str
      sample: "packets of 1500 bytes end between eth0 and flannel.1 of n1: too big to be forwarded; the ICMP message of
        198.18.7.11 comes back to the sender"
    size:
      description: Bytes of the IP packets that end there.
      returned: always
      type: int
      sample: 1500
    passing_size:
      description: Bytes of the IP packets that go on, null where none do.
      returned: always
      type: int
      sample: 576
    last_seen:
      description: The interface at which they were seen last, with C(host), C(owner), C(link), C(mtu) and C(direction).
      returned: always
      type: dict
      sample: {host: n1, link: eth0, mtu: 1500, direction: in}
    next_expected:
      description: The interface at which smaller ones were seen next, null where that is none of ours.
      returned: always
      type: dict
      sample: {host: n1, link: flannel.1, mtu: 1450, direction: out}
    reason:
      description: The kernel's drop reason and function, where it tells.
      returned: always
      type: str
      sample: PKT_TOO_BIG in ip_forward
    rule:
      description: The firewall rule in words, where it was one.
      returned: always
      type: str
      sample: ip length > 1400 drop in chain inet filter forward
    icmp:
      description: >-
        What became of the ICMP message about it, with C(sent), C(sent_by), C(host), C(arrived), C(last_seen) and
        C(filtered_by).
      returned: always
      type: dict
      sample: {sent: true, sent_by: 198.18.7.11, host: n1, arrived: true}
    evidence:
      description: Observations, each with C(what), C(value) and C(source).
      returned: always
      type: list
      elements: dict
      sample: [{what: Ip.FragFails grew while 20 packets were lost, value: 20, source: /proc/net}]
problems:
  description: What could not be watched or read, with C(subject), C(reason), C(path) and C(namespace).
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import SOURCE_OPTIONS
from ansible_collections.netfit.cluster.plugins.module_utils._trace.phases import run_trace_module


def main() -> None:
    """Do the phase and exit."""
    module = AnsibleModule(
        argument_spec={
            "phase": {"type": "str", "choices": ["all", "watch", "send", "collect"], "default": "all"},
            "run": {"type": "str"},
            "target": {"type": "str"},
            "source": {"type": "dict", "options": SOURCE_OPTIONS},
            "protocol": {"type": "str", "choices": ["auto", "icmp", "udp", "tcp"], "default": "auto"},
            "port": {"type": "int"},
            "size": {"type": "int"},
            "passing_size": {"type": "int", "default": 576, "no_log": False},
            "count": {"type": "int", "default": 20},
            "hops": {"type": "int", "default": 8},
            "lifetime": {"type": "int", "default": 60},
            "vxlan_ports": {"type": "list", "elements": "int", "default": [4789, 8472]},
            "geneve_ports": {"type": "list", "elements": "int", "default": [6081]},
        },
        supports_check_mode=True,
    )
    run_trace_module(module)


if __name__ == "__main__":
    main()
