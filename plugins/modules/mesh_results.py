#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_results
short_description: Gives one result for each path of the plan
version_added: 0.2.0
description:
  - Joins what M(netfit.cluster.mesh_plan) gave a host to do with what it measured. A path without a measurement is in
    the results as well, with verdict V(unknown) and the reason.
  - Runs on the controller and touches no target.
options:
  work:
    description: This host's entry in what M(netfit.cluster.mesh_plan) returned as C(hosts).
    type: dict
    required: true
  measured:
    description: The registered result of the module that measured the paths, also where it failed.
    type: dict
  tcp_measured:
    description: The registered result of the module that measured TCP ports, also where it failed.
    type: dict
attributes:
  check_mode:
    description: Can run in check mode and return the same as without.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.mesh_plan
  - module: netfit.cluster.assess
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Have one result for each path
  netfit.cluster.mesh_results:
    work: "{{ mesh.hosts[inventory_hostname] }}"
    measured: "{{ measured }}"
  register: results

- name: Show what could not be measured
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.reason }}"
  loop: "{{ results.paths | selectattr('verdict', 'equalto', 'unknown') }}"
"""

RETURN = r"""
paths:
  description: One entry for each path, in the order of the plan.
  returned: success
  type: list
  elements: dict
tcp_paths:
  description: One entry for each TCP port, in the order of the plan.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "work": {"type": "dict", "required": True},
            "measured": {"type": "dict"},
            "tcp_measured": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    module.fail_json(
        msg="netfit.cluster.mesh_results works on the controller, by its action plugin: call it from a playbook"
    )


if __name__ == "__main__":
    main()
