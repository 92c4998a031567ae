#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: merged_report
short_description: Makes one report of an audit that ran in slices
version_added: 0.5.0
description:
  - Reads the results that M(netfit.cluster.slice) wrote, assesses all hosts anew by the facts of all of them together,
    and shows and writes the report as M(netfit.cluster.report) does. The order of the slices does not matter.
  - Of a host in several slices the newest result counts, which is said. Slices with different policies are refused
    unless O(policy) is given, and so are slices that measured different things. Different versions of the collection
    are said.
  - A host that the slices knew of and that none of them has is in the report as V(not_assessed).
  - Runs on the controller and touches no target.
options:
  scope:
    description: What to do.
    type: str
    choices:
      cluster: Merge, show and write.
      check: Only check O(waivers) and O(baseline).
      missing: End as unreachable or failed where O(missing) names hosts, without a report.
    default: cluster
  slices:
    description: Files, directories that hold files of the name C(slice-NAME.json), or patterns. A list, or one of them.
    type: raw
  policy:
    description:
      - What all hosts are assessed by, as M(netfit.cluster.assess) takes it. By default what the slices were
        audited by.
    type: raw
  missing:
    description: What O(scope=cluster) returned as RV(missing).
    type: dict
    default: {}
  before:
    description: Path of an earlier report, for the formats that compare. See M(netfit.cluster.report).
    type: str
  report_dir:
    description: See M(netfit.cluster.report).
    type: str
    default: netfit-report
  fail_on:
    description: See M(netfit.cluster.report).
    type: str
    choices: [none, low, medium, high, critical]
    default: none
  formats:
    description: See M(netfit.cluster.report).
    type: list
    elements: str
    choices: [html, json, json_lines, junit, markdown, prometheus, sarif]
    default: [json]
  waivers:
    description: See M(netfit.cluster.report).
    type: raw
  baseline:
    description: See M(netfit.cluster.report).
    type: str
  audit_name:
    description: See M(netfit.cluster.report).
    type: str
    default: netfit
    version_added: 0.6.0
attributes:
  check_mode:
    description: Can run in check mode; then it shows the report and writes nothing.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.slice
  - module: netfit.cluster.report
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Make one report of all slices
  netfit.cluster.merged_report:
    slices: /srv/audit
    report_dir: /srv/audit
    formats: [html]
  register: merged

- name: End as the slices did
  netfit.cluster.merged_report:
    scope: missing
    missing: "{{ merged.missing }}"
"""

RETURN = r"""
summary:
  description: See M(netfit.cluster.report).
  returned: for O(scope=cluster)
  type: dict
report:
  description: Where C(report.json) was written. Empty in check mode.
  returned: for O(scope=cluster)
  type: str
files:
  description: Where each format was written.
  returned: for O(scope=cluster)
  type: dict
stats:
  description: See M(netfit.cluster.report).
  returned: for O(scope=cluster)
  type: dict
missing:
  description: The hosts that could not be audited or are in no slice, each with C(status) and C(reason).
  returned: for O(scope=cluster)
  type: dict
  sample: {n4: {status: unreachable, reason: timed out}}
notes:
  description: What is to be known about how the slices fit together, in words.
  returned: for O(scope=cluster)
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "scope": {"type": "str", "choices": ["cluster", "check", "missing"], "default": "cluster"},
            "slices": {"type": "raw"},
            "policy": {"type": "raw"},
            "missing": {"type": "dict", "default": {}},
            "before": {"type": "str"},
            "report_dir": {"type": "str", "default": "netfit-report"},
            "fail_on": {"type": "str", "choices": ["none", "low", "medium", "high", "critical"], "default": "none"},
            "formats": {
                "type": "list",
                "elements": "str",
                "choices": ["html", "json", "json_lines", "junit", "markdown", "prometheus", "sarif"],
                "default": ["json"],
            },
            "waivers": {"type": "raw"},
            "baseline": {"type": "str"},
            "audit_name": {"type": "str", "default": "netfit"},
        },
        supports_check_mode=True,
    )
    module.fail_json(
        msg="netfit.cluster.merged_report works on the controller, by its action plugin: call it from a playbook"
    )


if __name__ == "__main__":
    main()
