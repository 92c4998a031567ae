#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slice
short_description: Takes part in an audit that runs in slices
version_added: 0.5.0
description:
  - A slice is a run of the audit on some of the hosts, beside other runs that have the rest. Slices that run at once
    tell each other by files in a directory that all of them see what each needs to know of the others' hosts, share the
    token of their responders, and wait for each other a bounded time.
  - At the end each slice writes its result, from which M(netfit.cluster.merged_report) makes one report of all.
  - Runs on the controller and touches no target. Use it once in each play, with C(run_once).
options:
  phase:
    description: What to do.
    type: str
    required: true
    choices:
      check: Only check the options.
      meet: Tell the other slices of this play's hosts, and wait until they have told of the other ones.
      answering: Mark that this slice's responders answer, and wait until those of the slices that it knows do.
      measured: Mark that this slice has measured, and wait until those that it knows have.
      result: Write the result, and remove what this slice has told the others.
  name:
    description: The name of this slice, which no other slice of the same audit has.
    type: str
    required: true
  directory:
    description: The directory that all slices share. The result is C(slice-NAME.json) there.
    type: str
    default: netfit-report
  run:
    description:
      - A name that the slices of one audit share and no other audit has. Without, what a slice that died has left is
        believed for an hour.
    type: str
    default: ''
  wait:
    description: Seconds to wait for other slices at most, in each phase that waits.
    type: float
    default: 60.0
  policy:
    description: The policy of the audit, for O(phase=result), as M(netfit.cluster.assess) takes it.
    type: raw
  hosts:
    description: See M(netfit.cluster.mesh_plan).
    type: list
    elements: str
  peers:
    description: See M(netfit.cluster.mesh_plan). Those that are audited are hosts of other slices.
    type: raw
  vantage_group:
    description: See M(netfit.cluster.mesh_plan).
    type: str
    default: vantage
  gathered_in:
    description: See M(netfit.cluster.mesh_plan).
    type: str
    default: netfit_gathered
  probe:
    description: What was measured, for O(phase=result). See M(netfit.cluster.mesh_plan).
    type: str
    choices: [none, hosts, pods, all]
    default: all
  node_ports:
    description: The ports that were measured, for O(phase=result).
    type: list
    elements: int
    default: []
  expect:
    description: What was expected of paths, for O(phase=result). See M(netfit.cluster.mesh_plan).
    type: str
    choices: [carried, promised]
    default: carried
  expected_mtu:
    description: Bytes that every path was expected to carry, for O(phase=result).
    type: int
attributes:
  check_mode:
    description: Can run in check mode; then nothing is written, and nobody waited for.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.mesh_plan
  - module: netfit.cluster.merged_report
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Tell the other slices of these hosts, and learn of theirs
  netfit.cluster.slice:
    phase: meet
    name: west
    directory: /srv/audit
    hosts: "{{ groups['all'] }}"
  run_once: true

- name: Keep what this slice found
  netfit.cluster.slice:
    phase: result
    name: west
    directory: /srv/audit
  run_once: true
"""

RETURN = r"""
missing:
  description: >-
    For O(phase=meet) the hosts of which no other slice told in time, else the slices that are not as far. The audit
    goes on without them.
  returned: when another slice was waited for
  type: list
  elements: str
  sample: []
token_file:
  description: The file with the token of all slices' responders, for O(phase=meet).
  returned: for O(phase=meet)
  type: str
  sample: /srv/audit/.slices/run/token
file:
  description: The file with the result, for O(phase=result).
  returned: for O(phase=result)
  type: str
  sample: /srv/audit/slice-west.json
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "phase": {"type": "str", "choices": ["check", "meet", "answering", "measured", "result"], "required": True},
            "name": {"type": "str", "required": True},
            "directory": {"type": "str", "default": "netfit-report"},
            "run": {"type": "str", "default": ""},
            "wait": {"type": "float", "default": 60.0},
            "policy": {"type": "raw"},
            "hosts": {"type": "list", "elements": "str"},
            "peers": {"type": "raw"},
            "vantage_group": {"type": "str", "default": "vantage"},
            "gathered_in": {"type": "str", "default": "netfit_gathered"},
            "probe": {"type": "str", "choices": ["none", "hosts", "pods", "all"], "default": "all"},
            "node_ports": {"type": "list", "elements": "int", "default": []},
            "expect": {"type": "str", "choices": ["carried", "promised"], "default": "carried"},
            "expected_mtu": {"type": "int"},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="netfit.cluster.slice works on the controller, by its action plugin: call it from a playbook")


if __name__ == "__main__":
    main()
