#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole profile of kernel parameters at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_profile
short_description: Make a whole profile of kernel parameters true, live, at the next boot, and inside containers
description:
  - Sets all parameters of a profile in one call, on the host, or in the network namespaces of running containers and
    pods, which have most of them for themselves and do not get the host's.
  - Only raises by default. A value that is better already is left alone, element by element for vectors such as
    C(net.ipv4.tcp_rmem), and the file for the next boot keeps it as well.
  - Live values are written to C(/proc/sys) and read back. A value that did not hold is an error that says what was
    read, and what was changed before it is taken back.
  - For the next boot there is one file in C(/etc/sysctl.d) for each O(name), written whole. Lines of others are never
    touched. Where one of them would have the last word, the module fails and names file and line, before anything is
    changed, or takes another file name (O(precedence)).
  - Each change is in the journal on the host before it happens, see M(netfit.cluster.change_guard).
version_added: 0.3.0
options:
  profile:
    description:
      - Profiles that come with the collection. Each value has a reason and a source, which are in the file that is
        written. Of two profiles with the same key the stricter value counts.
      - V(kubernetes_node) is for nodes and other hosts with many containers, V(gateway) for what accepts connections
        behind a load balancer, V(high_bandwidth) for long and fast paths; its buffers are computed. V(policy) is what
        O(policy) demands, so that SYSCTL-001 and SYSCTL-002 are no findings any more.
    type: list
    elements: str
    choices: [gateway, high_bandwidth, kubernetes_node, policy]
    default: []
  policy:
    description:
      - Of O(profile=policy), what differs from the default policy, a mapping or the path of a YAML file on the
        controller, as for M(netfit.cluster.assess).
    type: raw
  settings:
    description:
      - Kernel parameters and what they should be, by key with dots or slashes; they take the place of the profile's.
      - A number or a list of numbers is meant as C(at_least), a word as C(exact). A dictionary has exactly one of
        C(at_least), C(at_most), C(exact), and C(absent) (V(true)), which gives up a parameter and puts back the value
        that it had before this module first changed it.
      - Of a profile what the kernel lacks is left out; a key in here that it lacks is an error.
      - Beside that, C(scope) (V(host), V(namespace) of pods and containers, V(both)), C(optional) (no fault if the
        kernel lacks it), C(since) and C(until) (kernel versions between which it matters), C(reason) and C(source)
        (comments in the file), C(kernel_range) (smallest and largest number that the kernel takes) and
        C(memory_connections) (as the option of that name).
    type: dict
    default: {}
  name:
    description:
      - Name of what is set here; there is one file for each. Lower case letters, digits, dashes and underscores.
    type: str
    default: tuning
  state:
    description:
      - With V(absent) the file goes, and all parameters in it, and those in O(settings), get back the live values that
        they had before this module first changed them, unless somebody has changed them since.
    type: str
    choices: [present, absent]
    default: present
  containers:
    description:
      - Running containers and pods to set the parameters in, live, instead of the host. They lose them with their
        network namespace, when they are recreated; see the role P(netfit.cluster.container_sysctl#role) for those to
        come.
      - Keys of an entry narrow, entries add up. C(container) is a name, an id, or a pattern of names; C(pod) is
        C(namespace/name) or a pattern; C(pod_namespace) a Kubernetes namespace or a pattern; C(label) is C(key=value)
        or C(key). A name that is not there is an error, a pattern that matches nothing is none.
      - Of a profile only what pods and containers have for themselves is set there. One of O(settings) that is the
        host's alone is an error.
    type: list
    elements: dict
    default: []
  live:
    description: Whether to set the live values.
    type: bool
    default: true
  persist:
    description: Whether to write the file for the next boot. Containers have none.
    type: bool
    default: true
  precedence:
    description:
      - What to do where a line in another file would have the last word at the next boot and gives less than is wanted.
        V(fail) names the line. V(ensure) takes the next free file name that wins, and fails where there is none.
      - What only C(sysctl --system) sees differently is returned in RV(shadowed), and is no failure.
    type: str
    choices: [fail, ensure]
    default: fail
  bandwidth_mbit:
    description: Of O(profile=high_bandwidth), what the path carries, in Mbit a second.
    type: float
  round_trip_ms:
    description: Of O(profile=high_bandwidth), how long a packet and its answer take, in milliseconds.
    type: float
  memory_connections:
    description:
      - Of O(profile=high_bandwidth), how many connections may fill their buffers at once. Where that is more memory
        than the host has for TCP (C(net.ipv4.tcp_mem)), the buffers become smaller, and the result says so.
      - By default V(64).
    type: int
  run:
    description: Name of the run in the journal. By default a new one; it is returned.
    type: str
    default: ""
extends_documentation_fragment:
  - netfit.cluster.changes
seealso:
  - module: netfit.cluster.sysctl_facts
    description: Says what is set, what the next boot gives, and why.
  - module: netfit.cluster.listen_backlog
    description: Makes running listeners take a larger backlog once C(net.core.somaxconn) allows it.
  - module: netfit.cluster.change_guard
    description: Undoes a run.
"""

EXAMPLES = r"""
---
- name: Tune a node for many pods, and what accepts connections on it
  netfit.cluster.sysctl_profile:
    profile: [kubernetes_node, gateway]

- name: The latter in the gateway's running pods
  netfit.cluster.sysctl_profile:
    profile: gateway
    containers:
      - pod: prod/gateway*

- name: Buffers for 10 Gbit/s and 30 ms
  netfit.cluster.sysctl_profile:
    profile: high_bandwidth
    bandwidth_mbit: 10000
    round_trip_ms: 30

- name: Values of our own
  netfit.cluster.sysctl_profile:
    name: shop
    settings:
      net.core.somaxconn: 32768
      net.ipv4.tcp_keepalive_time: {at_most: 600, reason: our firewall forgets after 15 minutes}
    precedence: ensure

- name: Take all that back
  netfit.cluster.sysctl_profile:
    name: shop
    state: absent
"""

RETURN = r"""
name:
  description: Name of what was set, part of the file's name.
  returned: always
  type: str
  sample: tuning
run:
  description: Name of the run in the journal; empty where nothing was changed.
  returned: always
  type: str
  sample: 20260101T120000Z-0a1b2c
steps:
  description: >-
    Live values that were set, or would be in check mode, with C(key), C(where), C(before), C(after), C(operator) and
    C(limited) (why it is less than wanted).
  returned: always
  type: list
  elements: dict
  sample:
    - {key: net.core.somaxconn, where: the host, before: "4096", after: "16384", operator: at_least, limited: null}
left_alone:
  description: Keys that were left alone, with C(key), C(where) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: []
file:
  description: The file for the next boot; null where there is none.
  returned: always
  type: str
  sample: /etc/sysctl.d/90-netfit-tuning.conf
written:
  description: Files that were written or removed.
  returned: always
  type: list
  elements: str
  sample: [/etc/sysctl.d/90-netfit-tuning.conf]
shadowed:
  description: >-
    Lines of others that win over ours for C(sysctl --system), though not at the next boot, with C(key), C(program),
    C(by) (file:line) and C(value).
  returned: always
  type: list
  elements: dict
  sample: []
gone:
  description: Containers and pods that ended meanwhile.
  returned: always
  type: list
  elements: str
  sample: []
left_out:
  description: Chosen containers and pods that have no network namespace of their own, with C(name) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: [{name: pod kube-system/proxy, reason: "left out: it shares the host's network"}]
before:
  description: What was there, by place and key, of what was changed.
  returned: always
  type: dict
  sample: {the host: {net.core.somaxconn: "4096"}}
after:
  description: What is there now, by place and key, of what was changed.
  returned: always
  type: dict
  sample: {the host: {net.core.somaxconn: "16384"}}
"""

from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.sysctl_profile import (
    ProfilePlan,
    carry_out,
    plan_profile,
    wish_of,
)
from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import NoSuchSource
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain

SPEC: Dict[str, Any] = {
    "profile": {
        "type": "list",
        "elements": "str",
        "choices": ["gateway", "high_bandwidth", "kubernetes_node", "policy"],
        "default": [],
    },
    "policy": {"type": "raw"},
    "settings": {"type": "dict", "default": {}},
    "name": {"type": "str", "default": "tuning"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "containers": {"type": "list", "elements": "dict", "default": []},
    "live": {"type": "bool", "default": True},
    "persist": {"type": "bool", "default": True},
    "precedence": {"type": "str", "choices": ["fail", "ensure"], "default": "fail"},
    "bandwidth_mbit": {"type": "float"},
    "round_trip_ms": {"type": "float"},
    "memory_connections": {"type": "int"},
    "run": {"type": "str", "default": ""},
}


def main() -> None:
    """Plan, change, and exit."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if module.params["profile"]:
        module.fail_json(msg="profile is resolved by the action plugin: call this as netfit.cluster.sysctl_profile")
    try:
        plan = plan_profile(wish_of(module.params))
        if plan.faults:
            raise ChangeError("nothing was changed: " + "; ".join(plan.faults))
        result = told(plan)
        if result["changed"] and not module.check_mode:
            result["run"], gone = carry_out(plan, module.params["run"] or None)
            result["gone"] = sorted({*result["gone"], *gone})
    except (ChangeError, NoSuchSource, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(name=module.params["name"], **result)


def told(plan: ProfilePlan) -> Dict[str, Any]:
    """Return a plan as the module's result; carried out or not, it is the same."""
    steps = [step for _place, live in plan.places for step in live.steps]
    before: Dict[str, Dict[str, str]] = {}
    after: Dict[str, Dict[str, str]] = {}
    for step in steps:
        before.setdefault(step.where, {})[step.key] = step.before
        after.setdefault(step.where, {})[step.key] = step.after
    return {
        "changed": bool(steps or plan.file.steps),
        "run": "",
        "steps": as_plain(steps),
        "left_alone": as_plain([one for _place, live in plan.places for one in live.skipped]),
        "file": plan.file.path,
        "written": [step.path for step in plan.file.steps],
        "shadowed": as_plain(plan.file.shadowed),
        "gone": list(plan.gone),
        "left_out": [{"name": one.subject, "reason": one.reason} for one in plan.left_out],
        "before": before,
        "after": after,
        "diff": _diff(plan),
    }


def _diff(plan: ProfilePlan) -> List[Dict[str, str]]:
    parts = []
    for place, live in plan.places:
        if live.steps:
            header = f"live values of {place.name}"
            before = "".join(f"{step.key} = {step.before}\n" for step in live.steps)
            after = "".join(f"{step.key} = {step.after}\n" for step in live.steps)
            parts.append({"before_header": header, "after_header": header, "before": before, "after": after})
    for step in plan.file.steps:
        headers = {"before_header": step.path, "after_header": step.path}
        parts.append({**headers, "before": step.before or "", "after": step.after or ""})
    return parts


if __name__ == "__main__":
    main()
