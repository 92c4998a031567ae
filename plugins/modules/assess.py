#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: assess
short_description: Turns facts and a policy into findings
version_added: 0.1.0
description:
  - Applies the rules of this collection to what M(netfit.cluster.network_facts) gathered, and returns findings.
  - Runs on the controller and touches no target. What could not be checked becomes a finding of status V(error).
options:
  policy:
    description:
      - What differs from the default policy, as a mapping with the keys V(rules), V(sysctls), V(listeners),
        V(paths), V(http) and V(symptoms), or the path of a YAML file with such a mapping. Merged over the defaults.
      - An unknown key, rule or severity is refused, with the nearest known name.
    type: raw
  scope:
    description: What to assess.
    type: str
    choices:
      host: This host, from its own C(ansible_facts). The findings are left in C(ansible_facts['netfit_assessment']).
      cluster: >-
        What only the facts and measured paths of several hosts together show: many broken paths with one cause become
        one finding at the cause. Use it once, with C(run_once). The findings are left in
        C(ansible_facts['netfit_cluster_assessment']).
      policy: Nothing; only the policy is checked.
    default: host
  gathered:
    description:
      - The registered result of the facts module, for O(scope=host). Tells a host that could not be reached, or on
        which the module failed, from one that was never asked. Such a host gets a finding of status V(error).
    type: dict
  hosts:
    description: Names of the hosts that O(scope=cluster) looks at. By default all hosts of the play.
    type: list
    elements: str
  paths:
    description:
      - What M(netfit.cluster.path_mtu_info) measured from this host, for O(scope=host). Kept with the assessment, so
        that O(scope=cluster) sees the paths of all hosts.
    type: list
    elements: dict
    version_added: 0.2.0
  tcp_paths:
    description: What M(netfit.cluster.tcp_path_info) measured from this host, for O(scope=host).
    type: list
    elements: dict
    version_added: 0.2.0
  traces:
    description:
      - The drops that M(netfit.cluster.packet_trace_info) found, for O(scope=host), or all that it returned. From the
        latter is known to which paths they belong.
    type: list
    elements: dict
    version_added: 0.2.0
  http_requests:
    description:
      - The targets that M(netfit.cluster.http_request_info) returned on this host, for O(scope=host). Those of several
        nodes with the same port and path are compared with each other.
    type: list
    elements: dict
    version_added: 0.5.0
  keepalive:
    description: The targets that M(netfit.cluster.keepalive_info) returned on this host, for O(scope=host).
    type: list
    elements: dict
    version_added: 0.5.0
attributes:
  check_mode:
    description: Can run in check mode and return the same as without.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.network_facts
  - module: netfit.cluster.report
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Gather what the rules need
  netfit.cluster.network_facts:

- name: Hold it against the policy
  netfit.cluster.assess:
    policy:
      listeners:
        minimum_backlog: 1024
      rules:
        MTU-005:
          severity: low

- name: Add what was measured
  netfit.cluster.assess:
    paths: "{{ measured.paths }}"
    tcp_paths: "{{ measured_ports.paths }}"

- name: Add what only the whole cluster shows
  netfit.cluster.assess:
    scope: cluster
  run_once: true
"""

RETURN = r"""
findings:
  description: What is wrong, or could not be checked, worst first. Empty for O(scope=policy).
  returned: for O(scope=host) and O(scope=cluster)
  type: list
  elements: dict
  contains:
    id:
      description: The rule.
      type: str
      sample: MTU-001
    title:
      description: What the rule says.
      type: str
    status:
      description: V(fail), or V(error) where it could not be checked.
      type: str
    severity:
      description: V(info), V(low), V(medium), V(high) or V(critical).
      type: str
    confidence:
      description: V(measured) or V(derived).
      type: str
    target:
      description: Host, scope, owner, and link, key, listener, path (a file) or peer (the far end of a path).
      type: dict
    observed:
      description: What is.
      type: str
    expected:
      description: What should be.
      type: str
    evidence:
      description: Observations, each with what, value and source.
      type: list
      elements: dict
    remedy:
      description: Tag of the remediation playbook, variables, disruption, and whether it survives a restart.
      type: dict
    references:
      description: Standards, kernel sources and issues.
      type: list
      elements: str
    fingerprint:
      description: The same for the same rule and target in every audit.
      type: str
summary:
  description: Number of findings by severity (failures only), status and rule.
  returned: for O(scope=host) and O(scope=cluster)
  type: dict
policy:
  description: Source, digest and user's part of the policy in force.
  returned: success
  type: dict
sysctl_keys:
  description: The kernel parameters that the policy is about, for the facts modules' option of that name.
  returned: for O(scope=policy)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "policy": {"type": "raw"},
            "scope": {"type": "str", "choices": ["host", "cluster", "policy"], "default": "host"},
            "gathered": {"type": "dict"},
            "hosts": {"type": "list", "elements": "str"},
            "paths": {"type": "list", "elements": "dict"},
            "tcp_paths": {"type": "list", "elements": "dict"},
            "traces": {"type": "list", "elements": "dict"},
            "http_requests": {"type": "list", "elements": "dict"},
            "keepalive": {"type": "list", "elements": "dict"},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="netfit.cluster.assess works on the controller, by its action plugin: call it from a playbook")


if __name__ == "__main__":
    main()
