#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Shows and writes what an audit found
version_added: 0.1.0
description:
  - Joins what M(netfit.cluster.assess) found on all hosts of the play and between them, prints a summary for people,
    worst first, and writes C(report.json).
  - Runs on the controller and touches no target. Use it once, with C(run_once).
options:
  scope:
    description: What to report.
    type: str
    choices:
      cluster: All hosts of the play, and what the facts of several hosts together show.
      host: >-
        Nothing is shown or written; the task ends as unreachable or failed where this host's audit ended so. Use it
        last and on every host, so that Ansible's own count of hosts is right.
      check: >-
        Nothing; only O(waivers), O(baseline), O(before) and O(promised) are read and checked. Use it first, so that a
        mistake is refused before any host is touched.
    default: cluster
  report_dir:
    description: >-
      Directory for C(report.json), relative to where the command was started. Made where it is missing; the file is
      replaced as a whole.
    type: path
    default: netfit-report
  fail_on:
    description: >-
      The task fails, after the report is written, where there are findings of status V(fail) at this severity or
      above. With O(baseline), only those count that are new.
    type: str
    choices: [none, low, medium, high, critical]
    default: none
  formats:
    description:
      - The files to write into O(report_dir), each of them replaced as a whole. C(report.json) is always among them.
      - With O(before), V(markdown) and V(sarif) also tell what is new and what is gone.
    type: list
    elements: str
    choices:
      json: C(report.json), the report itself.
      html: C(report.html), one page for people that opens offline, with pictures.
      json_lines: C(report.jsonl), one finding, path or host a line.
      junit: C(report.junit.xml), a test case per rule and target.
      markdown: C(report.md), for a ticket.
      prometheus: C(report.prom), for the textfile collector of node_exporter.
      sarif: C(report.sarif), SARIF 2.1.0.
    default: [json]
    version_added: 0.5.0
  hosts:
    description: Names of the hosts to report on. By default all hosts of the play.
    type: list
    elements: str
  verify:
    description:
      - Prints for each measured path what is expected of it and what it carries, and fails unless every path carries
        at least that, both ways. A path of which nothing is expected has to carry what its sender's link can send.
      - A black hole fails, however much it carries. So does a path that could not be measured, a TCP port whose clients
        depend on ICMP, a host from which nothing could be measured, and a run in which there is no path at all.
    type: bool
    default: false
    version_added: 0.2.0
  before:
    description:
      - Path of C(report.json) of the audit before, on the controller. With it, O(verify) also shows what each path
        carried then and carries now, and which findings are gone, still there or new. Without O(verify) it is for
        O(formats).
    type: path
    version_added: 0.4.0
  promised:
    description:
      - Path of a file that holds what P(netfit.cluster.mtu_promise#filter) returned, on the controller. With it,
        O(verify) fails where any of that does not hold - a path that carries less than was promised or was not
        measured, or a finding that was promised to be gone.
      - A path of which no more was promised than what it carries may still depend on ICMP. All others have to carry
        what is expected of them, as without this option.
    type: path
    version_added: 0.4.0
  waivers:
    description:
      - Findings that are accepted, as a list, or the path of a YAML file with such a list, on the controller. Each
        entry has V(rule) (an id, or a shell pattern of ids), V(target) and V(justification), and may have V(by) and
        V(expires), the last day (UTC) on which it holds, such as V(2027-01-31).
      - V(target) is a mapping of shell patterns with some of V(host), V(scope), V(owner) (its name, or
        V(namespace/pod)), V(link), V(key), V(listener), V(path) and V(peer), all of which have to match. A field that
        a finding's target lacks is matched by no pattern.
      - A failure that matches gets the status V(waived) and keeps its severity; it is told, and reaches no O(fail_on).
        Once the waiver has expired it is a failure again, which says so. A waiver that matches nothing is told.
    type: raw
    version_added: 0.5.0
  baseline:
    description:
      - Path of C(report.json) of an earlier run, on the controller. Failures that it has as well do not count for
        O(fail_on); how many are new and how many were there before is told.
      - Keep it at another place than O(report_dir), where each run replaces it.
    type: path
    version_added: 0.5.0
  audit_name:
    description:
      - What tells this audit from others, such as those of other clusters. It is in C(report.json), and a label of
        every series of V(prometheus) in O(formats).
    type: str
    default: netfit
    version_added: 0.6.0
attributes:
  check_mode:
    description: In check mode the summary is shown and nothing is written.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
seealso:
  - module: netfit.cluster.assess
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Show what was found, and stop a pipeline at high severity
  netfit.cluster.report:
    report_dir: build/netfit-report
    fail_on: high
  run_once: true

- name: Stop a pipeline at what is neither accepted nor known
  netfit.cluster.report:
    fail_on: medium
    baseline: accepted/report.json
    waivers:
      - rule: SYSCTL-001
        target:
          host: "legacy-*"
          key: net.core.somaxconn
        justification: Replaced in spring; nothing listens there.
        by: Jo
        expires: 2027-03-31
  run_once: true

- name: Write what pipelines and monitoring read as well
  netfit.cluster.report:
    formats: [json, junit, sarif, prometheus]
  run_once: true

- name: Fail unless every path carries what it should
  netfit.cluster.report:
    verify: true
  run_once: true

- name: Fail unless all that was promised holds
  netfit.cluster.report:
    verify: true
    before: netfit-report/before.json
    promised: netfit-report/plan.json
  run_once: true
"""

RETURN = r"""
report:
  description: Path of the report on the controller. Null in check mode.
  returned: for O(scope=cluster)
  type: str
  sample: /home/me/netfit-report/report.json
files:
  description: Path of each file that was written, by its name in O(formats). Empty in check mode.
  returned: for O(scope=cluster)
  type: dict
  sample:
    json: /home/me/netfit-report/report.json
    junit: /home/me/netfit-report/report.junit.xml
  version_added: 0.5.0
report_dir:
  description: The absolute path of O(report_dir), also in check mode.
  returned: for O(scope=cluster)
  type: str
  sample: /home/me/netfit-report
summary:
  description: Number of hosts by status, and of findings by severity (failures only), status and rule.
  returned: for O(scope=cluster)
  type: dict
stats:
  description: >-
    What a pipeline needs to know without reading the report, for C(set_stats). The verdict is C(passed) or C(failed),
    reached are the failures at each severity from O(fail_on) upwards.
  returned: for O(scope=cluster)
  type: dict
  sample: {verdict: passed, reached: {}, hosts: {total: 2, healthy: 2}}
  version_added: 0.5.0
verification:
  description: Number of paths, those that do not pass and why, and the hosts from which nothing could be measured.
  returned: with O(verify=true)
  type: dict
  contains:
    paths:
      description: How many paths were checked.
      type: int
    failed:
      description: The paths that do not pass, each with the reason.
      type: list
      elements: str
    missing:
      description: Hosts from which nothing could be measured, each with the reason.
      type: list
      elements: str
comparison:
  description: What is different.
  returned: with O(before) or O(promised)
  type: dict
  contains:
    paths:
      description: >-
        Paths of either run, with C(name), C(expected), the bytes C(before), C(after) and C(promised), and why the
        promise is C(broken), null where it holds.
      type: list
      elements: dict
    findings:
      description: >-
        Findings of either run, with C(fingerprint), C(id), C(host) and C(state), which is gone, still there, new, or
        waiting for the cluster's owner.
      type: list
      elements: dict
    broken:
      description: Every promise that does not hold, in words.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Refuse to run on a target: the work is done by the action plugin of the same name."""
    module = AnsibleModule(
        argument_spec={
            "scope": {"type": "str", "choices": ["cluster", "host", "check"], "default": "cluster"},
            "report_dir": {"type": "path", "default": "netfit-report"},
            "fail_on": {
                "type": "str",
                "choices": ["none", "low", "medium", "high", "critical"],
                "default": "none",
            },
            "formats": {
                "type": "list",
                "elements": "str",
                "choices": ["html", "json", "json_lines", "junit", "markdown", "prometheus", "sarif"],
                "default": ["json"],
            },
            "hosts": {"type": "list", "elements": "str"},
            "verify": {"type": "bool", "default": False},
            "before": {"type": "path"},
            "promised": {"type": "path"},
            "waivers": {"type": "raw"},
            "baseline": {"type": "path"},
            "audit_name": {"type": "str", "default": "netfit"},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="netfit.cluster.report works on the controller, by its action plugin: call it from a playbook")


if __name__ == "__main__":
    main()
