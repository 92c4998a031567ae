#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Path MTUs, measured."""

from __future__ import annotations

DOCUMENTATION = r"""
module: path_mtu_info
short_description: Measure the path MTU to many targets, in both directions, within milliseconds
description:
  - Sends packets of exact sizes from the host, or from inside one of its pods or containers, to all targets at once,
    and finds for each target the path MTU forward and back.
  - Tells whether routers report what is too big (RFC 1191, RFC 8201) or packets vanish in a black hole, which router
    answered, how much loss there was, and how sure the result is.
  - A path MTU is stated only where it is certain. A size is said not to pass only when a router said so about that
    very packet, or when so many packets of it were lost, between others that arrived, that chance is ruled out. Where
    loss, limits or a silent target do not allow that, the verdict is V(ignore:unknown) with a reason and bounds.
  - Nothing on the host is changed. What the kernel has learned about path MTUs before is reported, has no influence on
    the result, and is the same afterwards.
version_added: 0.2.0
options:
  targets:
    description:
      - Whom to measure. Each is an address, a name, or a dictionary.
      - The dictionary has C(address) (a name or an address, required), C(name) (how the result is called), C(source),
        C(method), C(port) (an open TCP port), C(expected_mtu), C(responder_port) as the options of these names, and
        C(about) (a dictionary that comes back with the result).
      - Multicast, broadcast, loopback, unspecified and link-local IPv6 addresses are refused, and so is a target that
        is given twice.
      - A name that does not resolve, an address of the host itself and the broadcast address of one of its networks
        give a result with the verdict V(ignore:unknown) and the reason. Nothing is sent to them.
    type: list
    elements: raw
    required: true
  source:
    description:
      - Where to measure from. Without it, or with nothing in it, from the host itself.
    type: dict
    suboptions:
      pod:
        description: A pod on the host, as V(ignore:namespace/name).
        type: str
      container:
        description: A container on the host, by its name or by at least twelve digits of its id.
        type: str
      namespace:
        description: A network namespace, by its inode or by a path to it.
        type: str
  method:
    description:
      - V(auto) uses UDP where O(responder_port) and O(token) are given, ICMP where nobody answers that or they are not
        given, and TCP where nobody answers either and the target has a C(port).
      - V(icmp) needs nothing at the far end but that it answers to ping.
      - V(udp) needs M(netfit.cluster.path_mtu_responder) at the far end.
      - V(tcp) needs an open TCP port at the far end and measures forward only.
    type: str
    choices: [auto, icmp, udp, tcp]
    default: auto
  family:
    description: Family of the addresses that names resolve to. V(auto) takes what the resolver names first.
    type: str
    choices: [auto, ipv4, ipv6]
    default: auto
  expected_mtu:
    description:
      - What the paths are expected to carry, in bytes. It and one byte more are among the first sizes that are sent, so
        that an expectation is confirmed or refuted within one round trip.
    type: int
  responder_port:
    description: UDP port of the responder at the targets.
    type: int
  token:
    description: The token that the responders were started with.
    type: str
  max_packets:
    description: The largest number of packets to send in all.
    type: int
    default: 1000000
  max_bytes:
    description: The largest number of bytes to send in all, headers of IP included.
    type: int
    default: 1073741824
  max_packets_per_target:
    description:
      - The largest number of packets to send to one target.
      - A clear path takes 3, a black hole about 100, and more the more packets are lost.
    type: int
    default: 2000
  timeout:
    description: Seconds after which the run ends. What is not decided then is V(ignore:unknown).
    type: float
    default: 60.0
extends_documentation_fragment: [netfit.cluster.probing]
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [The module never changes anything. It sends its packets in check mode, too.]
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - the right to open raw sockets (CAP_NET_RAW), and to enter network namespaces where O(source) is one (root)
notes:
  - A path may carry more than the MTU of the link that the packets leave by. That is not looked for.
  - The way back is that of the answers from the target to this address. Without a responder it cannot be seen whether
    the target would receive ICMP messages about it, and where the target itself seems to fragment its answers, it is
    V(ignore:unknown).
  - By TCP only the way there is measured, and RV(ignore:verdict) is that of the way there. What the advertised MSS does
    not allow and vanishes is no black hole but V(ignore:unknown), for a middlebox may drop it.
  - Without CAP_NET_RAW only O(method=udp) measures. By IPv6 it hears no ICMP then, and says so.
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Measure the paths from this host to two others
  netfit.cluster.path_mtu_info:
    targets: [192.0.2.11, node2.example.com]
    expected_mtu: 1500
  register: underlay

- name: Measure from inside a pod
  netfit.cluster.path_mtu_info:
    source:
      pod: prod/gateway
    targets:
      - address: 10.42.2.5
        name: prod/backend
        expected_mtu: 1450
  register: overlay

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.verdict }}, {{ item.forward.path_mtu }} there, {{ item.back.path_mtu }} back"
  loop: "{{ overlay.paths | rejectattr('verdict', 'equalto', 'ok') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
paths:
  description:
    - One measurement for each target, in their order.
    - >-
      RV(ignore:verdict) is V(ok) (all that the own link can send arrives), V(reduced, ICMP works), V(black hole),
      V(unreachable) or V(unknown), the worse of the directions that the method measures; RV(ignore:reason) says why, in
      words.
    - >-
      RV(ignore:forward) and RV(ignore:back) each have C(verdict), C(path_mtu) (null unless it is certain), C(at_least),
      C(at_most), C(limited_by) (V(link), V(path) or V(far link)), C(reported_mtu) and C(router) of an ICMP message,
      C(icmp_observable), C(tries_above), C(lost) of C(samples), C(confidence) and C(reason). Sizes are those of IP
      packets in bytes.
    - >-
      C(cached_mtu) and C(exceptions) are what the kernel had learned about the address before; C(learned) is what it
      has learned meanwhile, empty unless somebody else sent.
  returned: always
  type: list
  elements: dict
  sample:
    - name: prod/backend
      target: 10.42.2.5
      address: 10.42.2.5
      family: ipv4
      source: {kind: pod, name: prod/gateway}
      namespace: 4026532301
      method: icmp
      verdict: black hole
      forward: {verdict: black hole, path_mtu: 1400, at_least: 1400, at_most: 1400, limited_by: path}
      back: {verdict: ok, path_mtu: 1450, at_least: 1450, limited_by: link}
      device: eth0
      link_mtu: 1450
      expected_mtu: 1450
      reason: packets larger than 1400 bytes are lost, and nobody says so
      cached_mtu: null
      exceptions: []
      learned: []
      round_trip_ms: 0.21
      packets_sent: 71
      packets_received: 43
      bytes_sent: 98211
      seconds: 0.047
      about: {}
summary:
  description: How many paths have each verdict.
  returned: always
  type: dict
  sample: {ok: 29, "reduced, ICMP works": 0, unknown: 0, black hole: 1, unreachable: 0}
packets_sent:
  description: IP packets that were sent in all.
  returned: always
  type: int
  sample: 158
bytes_sent:
  description: Their bytes, headers of IP included.
  returned: always
  type: int
  sample: 221234
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 0.061
problems:
  description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import SOURCE_OPTIONS
from ansible_collections.netfit.cluster.plugins.module_utils._probe.arguments import options_of
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import measure
from ansible_collections.netfit.cluster.plugins.module_utils._probe.targets import BadOption

ARGUMENTS = {
    "targets": {"type": "list", "elements": "raw", "required": True},
    "source": {"type": "dict", "options": SOURCE_OPTIONS},
    "method": {"type": "str", "choices": ["auto", "icmp", "udp", "tcp"], "default": "auto"},
    "family": {"type": "str", "choices": ["auto", "ipv4", "ipv6"], "default": "auto"},
    "expected_mtu": {"type": "int"},
    "responder_port": {"type": "int"},
    "token": {"type": "str", "no_log": True},
    "max_packets": {"type": "int", "default": 1000000},
    "max_bytes": {"type": "int", "default": 1 << 30},
    "max_packets_per_target": {"type": "int", "default": 2000},
    "timeout": {"type": "float", "default": 60.0},
}


def main() -> None:
    """Measure and exit."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        measurements = measure(options_of(module.params))
    except BadOption as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **measurements.as_fact())


if __name__ == "__main__":
    main()
