#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long HTTP servers keep idle connections."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalive_info
short_description: Measure for how long HTTP servers keep idle connections
description:
  - Opens a few connections to each of the targets that are named, sends one request on each, and waits until the server
    ends it. Then sends a second request on those that still look open, which shows whether something on the way has
    forgotten them.
  - A server that closes idle connections before the load balancer in front of it does, answers some requests with a
    reset, which the load balancer turns into a 502. With O(load_balancer) or O(lb_idle_timeout) the result says whether
    that can happen.
version_added: 0.5.0
options:
  targets:
    description:
      - The servers behind the load balancer, as O(netfit.cluster.http_request_info#module:targets). The method is
        V(GET) or V(HEAD), V(GET) by default.
      - Ask the servers themselves, or the NodePort; the load balancer's own address tells how it treats its clients.
    type: list
    elements: raw
    required: true
  connections:
    description: Connections to each target, 1 to 10. The one that is ended first counts.
    type: int
    default: 3
  longest:
    description: >-
      Seconds to watch them, 1 to 3600. Less than the load balancer's idle timeout and O(margin) together does not show
      that a server keeps connections for long enough.
    type: float
    default: 130.0
  timeout:
    description: Seconds for a connection and its answer, 0.1 to 300.
    type: float
    default: 10.0
  load_balancer:
    description: >-
      The load balancer in front, by its name in C(docs/http.md), for instance V(aws_alb), V(gcp_alb), V(alibaba_alb) or
      V(ingress_nginx). Stands for its idle timeout by default.
    type: str
  lb_idle_timeout:
    description: Seconds for which the load balancer keeps idle connections to servers, 1 to 86400, in its place.
    type: float
  margin:
    description: Seconds by which a server should keep connections for longer, 0 to 600.
    type: float
    default: 10.0
extends_documentation_fragment: [netfit.cluster.probing, netfit.cluster.probing.family]
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [It measures in check mode, too.]
requirements:
  - Python 3.8 or newer, nothing but its standard library
notes:
  - It takes as long as the most patient server, O(longest) at most, for all targets together; and, where servers don't
    answer, O(timeout) for each 32 connections to them, before and after.
  - A server may close earlier under load. nginx does so when its connections run short.
seealso:
  - module: netfit.cluster.http_request_info
    description: Counts requests that fail.
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: See whether the servers are more patient than an AWS ALB
  netfit.cluster.keepalive_info:
    targets:
      - {node: n1, address: 192.0.2.11, port: 30004, path: /health}
      - {node: n2, address: 192.0.2.12, port: 30004, path: /health}
    load_balancer: aws_alb
  register: idle

- name: Stop where a 502 is to be expected
  ansible.builtin.assert:
    that: idle.targets | selectattr('verdict', 'eq', 'too short') | length == 0
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
      sample: http://192.0.2.11:30004/health
    url:
      description: What was asked for, with C(method), C(host) (the Host header), C(node), C(address) and C(port).
      returned: always
      type: str
      sample: http://192.0.2.11:30004/health
    ended:
      description: >-
        How the first connection to end did so. V(fin) or V(reset) by the server, V(not kept) where the answer said so,
        V(still open) when the time was over, V(silent drop) where it looked open and was not, V(failed).
      returned: always
      type: str
      sample: fin
    kept_seconds:
      description: For how long that one was kept. Null where no end was seen.
      returned: always
      type: float
      sample: 5.003
    at_least_seconds:
      description: For how long all of them were kept.
      returned: always
      type: float
      sample: 5.003
    resolution_seconds:
      description: By how much these may be wrong.
      returned: always
      type: float
      sample: 0.011
    announced_timeout:
      description: >-
        Seconds that the answer's Keep-Alive header announced, and in C(announced_requests) the requests that are left
        to one connection. C(server) is the Server header.
      returned: always
      type: int
      sample: 5
    load_balancer:
      description: What it was compared with, with its idle timeout in C(idle_seconds).
      returned: always
      type: str
      sample: AWS Application Load Balancer
    verdict:
      description: >-
        V(too short), V(marginal) (longer than the load balancer, but by less than O(margin)), V(long enough), V(not
        known); null without anything to compare with. C(reason) says more where there is more to say.
      returned: always
      type: str
      sample: too short
    connections:
      description: Each connection, with C(ended), C(idle_seconds), C(status) of its answer, and C(reason).
      returned: always
      type: list
      elements: dict
      sample: [{ended: fin, idle_seconds: 5.003, status: 200, reason: null}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_options import run_keepalive_info

OPTIONS = {
    "targets": {"type": "list", "elements": "raw", "required": True},
    "connections": {"type": "int", "default": 3},
    "longest": {"type": "float", "default": 130.0},
    "timeout": {"type": "float", "default": 10.0},
    "load_balancer": {"type": "str"},
    "lb_idle_timeout": {"type": "float"},
    "margin": {"type": "float", "default": 10.0},
    "family": {"type": "str", "choices": ["any", "ipv4", "ipv6"], "default": "any"},
}


def main() -> None:
    """Measure and exit."""
    run_keepalive_info(AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()
