#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many HTTP requests fail, by the size of their body and by the node that they are sent to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_request_info
short_description: Count HTTP requests that fail, by size of body and node
description:
  - Sends HTTP requests, each on a new connection, to the targets that are named, and to nothing else. Says how many of
    each size failed, how, and how far the rate can be trusted.
  - Failures that begin at the size of a full packet, or that depend on the node that is asked, are the marks of an MTU
    fault on the way. M(netfit.cluster.assess) tells from the result whether chance explains them.
  - Targets and sizes take turns, so that what changes meanwhile meets all of them alike. Redirects are not followed.
version_added: 0.5.0
options:
  targets:
    description:
      - Where to send requests, each a URL, or a dictionary.
      - Keys of a dictionary are C(url), or in its place C(address), C(port), C(path) and C(tls); C(address) and C(port)
        besides C(url) to connect elsewhere than the URL says; C(name); C(node), the name of the host that this target
        is; C(host), for the Host header; C(method), as O(method); C(verify), V(true) where the certificate has to be
        good (default V(false)).
      - To compare nodes, name one target for each, all with C(node) and with the same port, path and C(host).
    type: list
    elements: raw
    required: true
  method:
    description: >-
      Of the requests to targets that name none. Only a POST has a body: with V(GET) and V(HEAD) there is one size, 0.
    type: str
    choices: [POST, GET, HEAD]
    default: POST
  body_sizes:
    description:
      - Bytes of the bodies, 1 to 20 different sizes of at most 64 MiB.
      - Name one that fits into a packet together with the request's head and what a load balancer adds to it, and one
        that takes several.
    type: list
    elements: int
    default: [0, 1000, 20000]
  requests:
    description: How many of each size are sent to each target, 1 to 1000.
    type: int
    default: 20
  max_requests:
    description: The largest number of requests in total, 1 to 100000. More than that are refused.
    type: int
    default: 1000
  expect:
    description: Statuses of answers that count as good. Without any, all below 500, for these got through.
    type: list
    elements: int
    default: []
  timeout:
    description: >-
      Seconds for each request, from the SYN to the end of the answer, 0.1 to 300; half of O(total_timeout) at most.
    type: float
    default: 10.0
  total_timeout:
    description: >-
      Seconds for all of them, 1 to 3600. What was counted until then is returned. No request begins that it would cut
      short.
    type: float
    default: 300.0
  interval:
    description: Seconds between the beginnings of two requests, 0 to 60.
    type: float
    default: 0.0
  parallel:
    description: The largest number of requests at once, 1 to 32.
    type: int
    default: 4
extends_documentation_fragment: [netfit.cluster.probing, netfit.cluster.probing.family]
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [It sends in check mode, too, except for POST requests, which a server may act upon.]
requirements:
  - Python 3.8 or newer, nothing but its standard library
notes:
  - Send POST requests only where they do no harm. Their bodies are zeros, their User-Agent is C(netfit).
  - Run it where the clients are, or where the load balancer is. A node of the cluster asks by another way than clients
    do, and its kernel listens to ICMP.
  - Of a name with several addresses the first one is used; all of them are returned.
seealso:
  - module: netfit.cluster.keepalive_info
    description: For how long a server keeps idle connections.
  - module: netfit.cluster.tcp_path_info
    description: Measures the path MTU that the same requests meet.
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Send uploads through the load balancer
  netfit.cluster.http_request_info:
    targets: [https://shop.example.org/echo]
    expect: [200]
  register: uploads

- name: Compare the nodes behind it
  netfit.cluster.http_request_info:
    targets:
      - {node: n1, address: 192.0.2.11, port: 30004, path: /echo, host: shop.example.org}
      - {node: n2, address: 192.0.2.12, port: 30004, path: /echo, host: shop.example.org}
    body_sizes: [1000, 3000]
  register: nodes

- name: Hold both against the policy
  netfit.cluster.assess:
    http_requests: "{{ uploads.targets + nodes.targets }}"
"""

RETURN = r"""
targets:
  description: One entry for each target, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: As given, or the URL.
      returned: always
      type: str
      sample: http://192.0.2.11:30004/echo
    url:
      description: What was asked for, with O(method) in C(method) and the Host header in C(host).
      returned: always
      type: str
      sample: http://192.0.2.11:30004/echo
    node:
      description: As given.
      returned: always
      type: str
      sample: n1
    address:
      description: What was connected to, at C(port). C(addresses) are all that the name resolved to.
      returned: always
      type: str
      sample: 192.0.2.11
    planned:
      description: Requests that were asked for. C(sent) were seen to their end, C(failed) of them failed.
      returned: always
      type: int
      sample: 60
    complete:
      description: Whether all were sent. C(reason) says why not.
      returned: always
      type: bool
      sample: true
    sizes:
      description: One entry for each size of body, smallest first.
      returned: always
      type: list
      elements: dict
      contains:
        body_bytes:
          description: Of each request's body.
          returned: always
          type: int
          sample: 20000
        sent:
          description: Requests that were seen to their end. C(failed) of them got no answer that counts as good.
          returned: always
          type: int
          sample: 20
        failure_rate:
          description: Of these, 0 to 1; null where nothing was sent.
          returned: always
          type: float
          sample: 0.75
        interval:
          description: Holds the true rate with 95 % confidence (Wilson's interval).
          returned: always
          type: list
          elements: float
          sample: [0.531299, 0.888138]
        outcomes:
          description: >-
            How they ended, and how often. V(answered), V(timed out), V(reset), V(closed) (before a whole answer was
            there), V(refused), V(not connected), V(tls failed), V(no http).
          returned: always
          type: dict
          sample: {answered: 5, timed out: 15}
        statuses:
          description: Of the answers, and how often.
          returned: always
          type: dict
          sample: {"200": 5}
        latency:
          description: >-
            Milliseconds from the SYN to the end of the answer, of those that were answered. C(median_ms), C(p90_ms),
            C(p99_ms), C(longest_ms).
          returned: always
          type: dict
          sample: {median_ms: 3.2, p90_ms: 4.1, p99_ms: 9.0, longest_ms: 9.0}
        retransmits:
          description: Segments that the kernel sent again, of all connections together.
          returned: always
          type: int
          sample: 45
        kernel_path_mtu:
          description: >-
            The least that the kernel took for the path MTU when a connection was over, in bytes. C(send_mss) is the
            least number of bytes of data in one segment.
          returned: always
          type: int
          sample: 1500
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_options import run_http_request_info

OPTIONS = {
    "targets": {"type": "list", "elements": "raw", "required": True},
    "method": {"type": "str", "choices": ["POST", "GET", "HEAD"], "default": "POST"},
    "body_sizes": {"type": "list", "elements": "int", "default": [0, 1000, 20000]},
    "requests": {"type": "int", "default": 20},
    "max_requests": {"type": "int", "default": 1000},
    "expect": {"type": "list", "elements": "int", "default": []},
    "timeout": {"type": "float", "default": 10.0},
    "total_timeout": {"type": "float", "default": 300.0},
    "interval": {"type": "float", "default": 0.0},
    "parallel": {"type": "int", "default": 4},
    "family": {"type": "str", "choices": ["any", "ipv4", "ipv6"], "default": "any"},
}


def main() -> None:
    """Send and exit."""
    run_http_request_info(AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()
