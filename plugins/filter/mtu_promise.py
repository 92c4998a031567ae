# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold once an MTU plan is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, Optional, Sequence

from ansible.errors import AnsibleFilterError

from ..plugin_utils._plan.promise import PARTS, make_promise, parts_of
from ..plugin_utils._rules.plain import plain_copy

DOCUMENTATION = r"""
name: mtu_promise
short_description: Says what has to hold once an MTU plan is carried out
version_added: 0.4.0
description:
  - From a plan and the report of the audit before follows how many bytes each path has to carry afterwards, and which
    findings have to be gone.
  - Write the result to a file; O(netfit.cluster.report#module:promised) holds what is measured against it.
options:
  _input:
    description: What P(netfit.cluster.mtu_plan#filter) returned.
    type: dict
    required: true
  report:
    description: The content of C(report.json) of the audit before. Its C(paths) and C(findings) are used.
    type: dict
    required: true
  parts:
    description:
      - What of the plan is carried out. V(live) stands for links of running pods and containers, V(tunnels) for devices
        of overlays, V(uplinks) for hosts' own links, V(cni) for settings of Kubernetes' networks, V(runtime) for those
        of container runtimes.
      - By default all.
    type: list
    elements: str
    choices: [live, tunnels, uplinks, cni, runtime]
  tags:
    description: >-
      In the place of O(parts), the tags that C(netfit.cluster.remediate) runs with, as C(ansible_run_tags).
    type: list
    elements: str
  skipped:
    description: Those that it leaves out, as C(ansible_skip_tags).
    type: list
    elements: str
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Keep what is promised
  ansible.builtin.copy:
    content: "{{ netfit_plan | netfit.cluster.mtu_promise(netfit_before, parts=['live']) | to_nice_json }}"
    dest: netfit-report/plan.json
    mode: "0644"
  vars:
    netfit_plan: "{{ hostvars | netfit.cluster.mtu_plan(hosts=ansible_play_hosts_all) }}"
    netfit_before: "{{ lookup('ansible.builtin.file', 'netfit-report/before.json') | from_json }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
_value:
  description: The promise.
  type: dict
  contains:
    paths:
      description: >-
        Paths with C(key), C(name), C(minimum) in bytes, and C(sound), which says whether they may not depend on ICMP
        either.
      type: list
      elements: dict
    findings:
      description: Findings that have to be gone, each with C(fingerprint), C(id), C(title) and C(host).
      type: list
      elements: dict
    waiting:
      description: Findings that stay until the cluster's owner acts, with the C(reason) as well.
      type: list
      elements: dict
"""


def mtu_promise(
    plan: Any,
    report: Any,
    parts: Optional[Sequence[str]] = None,
    tags: Optional[Sequence[str]] = None,
    skipped: Sequence[str] = (),
) -> Dict[str, Any]:
    """Return the promise. Raises AnsibleFilterError where an input is not what it has to be."""
    if not isinstance(plan, Mapping) or "hosts" not in plan:
        raise AnsibleFilterError("mtu_promise: the input must be what netfit.cluster.mtu_plan returned")
    if not isinstance(report, Mapping) or not {"paths", "findings"} <= set(report):
        raise AnsibleFilterError("mtu_promise: report must be the content of report.json, with paths and findings")
    chosen = parts_of(["all"] if tags is None else tags, skipped) if parts is None else parts
    wanted = [str(part) for part in chosen]
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        raise AnsibleFilterError(f"mtu_promise: parts: {', '.join(unknown)}; known are {', '.join(PARTS)}")
    return make_promise(plain_copy(plan), plain_copy(report), wanted)


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"mtu_promise": mtu_promise}
