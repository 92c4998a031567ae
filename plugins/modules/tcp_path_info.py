#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client of an open TCP port gets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tcp_path_info
short_description: Measure what a client of an open TCP port gets
description:
  - Connects to open TCP ports (a node port, a service, a load balancer) and finds the MSS that the far end advertises,
    the exact path MTU towards it, and whether routers say so where it is less than the sender's.
  - It needs no access to the far end. The connections are real ones, so that they go the way of the clients' own, NAT
    included; the sizes are tried by single segments, because bulk transfers hide the fault.
  - The segments leave a hole in the sequence numbers. The far end's kernel acknowledges each by SACK and hands none
    to its application; this host's kernel learns nothing from ICMP messages about them. See RV(paths[].traceless).
  - With O(url), also sends HTTP POSTs with bodies of given sizes.
version_added: 0.2.0
options:
  targets:
    description:
      - The ports, each as V(host:port), V([address]:port) for IPv6, or a dictionary of C(host), C(port), C(name),
        C(expected_mtu), C(source) (as O(source)) and C(about) (a dictionary that comes back with the result).
      - Without it, the host and port of O(url).
      - This host's own addresses, broadcast and multicast addresses and targets named twice are refused.
    type: list
    elements: raw
  source:
    description: The network namespace to measure from. The host's own when nothing is set.
    type: dict
    suboptions:
      pod:
        description: A pod on this host, as C(namespace/name).
        type: str
      container:
        description: Name of a container on this host, or the first twelve or more digits of its id.
        type: str
      namespace:
        description: Inode or path of a network namespace.
        type: str
  expected_mtu:
    description: The bytes that the paths are expected to carry. They and one more are among the first sizes.
    type: int
  url:
    description:
      - What to send POST requests to, with C(http) or C(https). They go to each target's address, with the URL's host
        in their head. A certificate is not checked.
      - Send them only where they do no harm. The kernel may learn a path MTU from them, as it does from any client's.
    type: str
  body_sizes:
    description: Bytes of the bodies of the POST requests, at most 20 sizes of at most 64 MiB.
    type: list
    elements: int
    default: [100, 1000, 1390, 3000, 20000]
  connections:
    description: The largest number of connections to one target at once, 1 to 4.
    type: int
    default: 4
  max_packets:
    description: The largest number of segments to send to one target, 50 to 5000, without handshakes.
    type: int
    default: 300
  timeout:
    description: Seconds for a handshake, and for each POST request, 1 to 120. Three times as long for all sizes.
    type: float
    default: 5.0
extends_documentation_fragment: [netfit.cluster.probing, netfit.cluster.probing.family]
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [It measures in check mode, too, except for POST requests, which a server may act upon.]
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - CAP_NET_RAW (root). Without it the kernel's own sockets are used, one segment for each connection. Then the server
    sees the beginning of an HTTP request, sizes above the advertised MSS cannot be tried, and RV(paths[].traceless)
    is false.
  - the right to enter network namespaces (root), for a O(source) other than the host.
notes:
  - Connections are reset when they are done, so that an application sees them opened and reset.
seealso:
  - module: netfit.cluster.path_mtu_info
    description: Measures paths between hosts that are ours, both directions.
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: See what clients get on every node of the cluster
  netfit.cluster.tcp_path_info:
    targets: "{{ groups['nodes'] | map('regex_replace', '$', ':30004') | list }}"
  register: gateway

- name: Uploads hang where a packet that the advertised MSS allows is lost without a word
  ansible.builtin.assert:
    that: gateway.paths | selectattr('verdict', 'eq', 'black hole') | length == 0

- name: Measure from inside a pod, and post bodies of several sizes
  netfit.cluster.tcp_path_info:
    targets:
      - host: 192.0.2.10
        port: 30004
        name: gateway by node 1
        expected_mtu: 1450
    source:
      pod: shop/frontend-7d4b9
    url: http://gateway.example.org/echo
    body_sizes: [1000, 1400, 100000]
"""

RETURN = r"""
paths:
  description: One entry for each target, in their order. All sizes are those of whole IP packets in bytes.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: As given, or the target.
      returned: always
      type: str
      sample: 192.0.2.10:30004
    target:
      description: Host and port.
      returned: always
      type: str
      sample: 192.0.2.10:30004
    address:
      description: What the host resolved to.
      returned: always
      type: str
      sample: 192.0.2.10
    verdict:
      description: >-
        V(ok) when the path carries whatever the advertised MSS lets a client send, V(reduced, ICMP works) when it
        does not and routers say so, V(black hole) when nobody does, V(unreachable), or V(unknown).
      returned: always
      type: str
      sample: black hole
    reason:
      description: The verdict in words, where there is more to say.
      returned: always
      type: str
    device:
      description: The link that the packets leave by. C(link_mtu) is its MTU.
      returned: always
      type: str
      sample: eth0
    advertised_mss:
      description: >-
        The MSS option of the far end's SYN-ACK. Where that could not be seen, C(advertised_mss_exact) may be false,
        and it is the least that the far end may have advertised.
      returned: always
      type: int
      sample: 1460
    send_mss:
      description: Bytes of data that the kernel puts into one segment on a fresh connection.
      returned: always
      type: int
      sample: 1448
    path_mtu:
      description: The largest packet that reaches the far end; null unless it is certain.
      returned: always
      type: int
      sample: 1450
    at_least:
      description: The largest packet that was acknowledged.
      returned: always
      type: int
      sample: 1450
    reported_mtu:
      description: What an ICMP message about our own segments said. C(router) is who sent it.
      returned: always
      type: int
      sample: 1450
    kernel_path_mtu:
      description: What the kernel takes for the path MTU. C(cached_mtu) is what it had learned before.
      returned: always
      type: int
      sample: 1500
    retransmits:
      description: By the kernel, SYNs included.
      returned: always
      type: int
      sample: 0
    round_trip_ms:
      description: Milliseconds, the shortest round trip.
      returned: always
      type: float
      sample: 0.4
    confidence:
      description: The probability that C(path_mtu) is right.
      returned: always
      type: float
      sample: 0.999995
    segments:
      description: >-
        What came of each size, with C(size), C(outcome) (arrived, lost, too big, refused), C(reported_mtu), C(router)
        and C(round_trip_ms).
      returned: always
      type: list
      elements: dict
      sample: [{size: 1450, outcome: arrived, round_trip_ms: 0.4}, {size: 1451, outcome: lost}]
    requests:
      description: >-
        The POST requests, with C(body_bytes), C(outcome) (answered, timed out, closed, refused), C(status),
        C(seconds), C(retransmits) and C(path_mtu) when they were over.
      returned: always
      type: list
      elements: dict
      sample: [{body_bytes: 3000, outcome: timed out, retransmits: 3, path_mtu: 1500}]
    connections:
      description: How many were made. C(packets_sent) and C(bytes_sent) are those of this host, C(seconds) it took.
      returned: always
      type: int
      sample: 2
    traceless:
      description: False where the kernel may have learned from the measurement.
      returned: always
      type: bool
      sample: true
    learned:
      description: The path MTUs of the target that the kernel learned meanwhile.
      returned: always
      type: list
      elements: dict
      sample: []
    about:
      description: What was given with the target.
      returned: always
      type: dict
      sample: {}
problems:
  description: What could not be found out about this host's network namespaces, with C(subject) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import SOURCE_OPTIONS
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_options import run_tcp_path_info

OPTIONS = {
    "targets": {"type": "list", "elements": "raw"},
    "source": {"type": "dict", "options": SOURCE_OPTIONS},
    "expected_mtu": {"type": "int"},
    "url": {"type": "str"},
    "body_sizes": {"type": "list", "elements": "int", "default": [100, 1000, 1390, 3000, 20000]},
    "connections": {"type": "int", "default": 4},
    "max_packets": {"type": "int", "default": 300},
    "timeout": {"type": "float", "default": 5.0},
    "family": {"type": "str", "choices": ["any", "ipv4", "ipv6"], "default": "any"},
}


def main() -> None:
    """Measure and exit."""
    module = AnsibleModule(argument_spec=OPTIONS, required_one_of=[("targets", "url")], supports_check_mode=True)
    run_tcp_path_info(module)


if __name__ == "__main__":
    main()
