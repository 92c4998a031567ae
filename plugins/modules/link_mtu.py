#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTUs of links, live and lasting."""

from __future__ import annotations

DOCUMENTATION = r"""
module: link_mtu
short_description: Set the MTU of links, live in any network namespace and for good, without cutting the host off
description:
  - Sets the MTU of links of the host and of its containers and pods. Both ends of a veth pair are set together,
    whichever is named. Links are lowered from the top down and raised from the bottom up, so that none sends what the
    one below cannot take.
  - On the host's own links the MTU is made to last through whoever configures the link; that is found out, not guessed.
    systemd-networkd, netplan, NetworkManager, ifupdown, ifcfg files and wicked are known. A link that none of them
    configures is changed live only, and the result says so. So are links in containers and pods, and those that a
    container network makes (see M(netfit.cluster.cni_mtu)).
  - With O(guard=true) the host undoes the change by itself unless a fresh connection to it is made in time, moves
    64 KiB in both directions, and full-size packets that must not be fragmented still arrive where they did before.
    Only then is anything written to a file, under a guard once more.
  - The multiplexed SSH connection is closed on the way, because it does not survive a change of the MTU.
version_added: 0.4.0
options:
  links:
    description:
      - The links and what each is to have.
      - They take the form in which findings and P(netfit.cluster.mtu_plan#filter) name them; what those say for people
        is passed over.
    type: list
    elements: dict
    default: []
    suboptions:
      link:
        description: Name of the link in its network namespace.
        type: str
        required: true
      mtu:
        description: Bytes, from 68 (with IPv6 1280) to what the link and the one that carries it can take.
        type: int
        required: true
      namespace:
        description:
          - Path of the network namespace, as in V(/run/docker/netns/5f2c1a9b). Not together with O(links[].pid), and
            not the host's own, for which neither is given.
        type: path
      pid:
        description: A process in the network namespace. By default the link is one of the host's own.
        type: int
  routes:
    description:
      - Routes that are to have an MTU of their own, as those of pods of Cilium have. They are changed live only, after
        the links. Everything else about a route stays.
    type: list
    elements: dict
    default: []
    suboptions:
      destination:
        description: The range in CIDR, or V(default).
        type: str
        required: true
      mtu:
        description: Bytes; without it the route gets the MTU of its device.
        type: int
      family:
        description: V(ipv4) or V(ipv6). By default both.
        type: str
        choices: [ipv4, ipv6]
      device:
        description: Name of the link that the route leads to. By default any.
        type: str
      table:
        description: Number of the routing table; 254 is C(main).
        type: int
        default: 254
      namespace:
        description: As for O(links[].namespace).
        type: path
      pid:
        description: As for O(links[].pid).
        type: int
  gone:
    description:
      - What to do about a link, or a network namespace, that is not there. Pods and containers may end between a plan
        and its change.
      - V(fail) refuses everything before any change, and takes everything back where a link goes meanwhile.
      - V(skip) sets all the others and tells in RV(gone) what was not there, and why.
      - A path or a process that leads to the host's own network namespace counts as not there, because process ids are
        given away again.
    type: str
    choices: [fail, skip]
    default: fail
    version_added: 0.6.0
  live:
    description: Change the links as they are now.
    type: bool
    default: true
  persist:
    description: Make it last on the host's own links, where it is known who configures them.
    type: bool
    default: true
  guard:
    description:
      - Let the host undo the change unless it is confirmed by a fresh connection.
      - Where it is V(false), a wrong value can cut the host off for good.
    type: bool
    default: true
  timeout:
    description: Seconds, from 5 to 3600, after which an unconfirmed change is undone.
    type: float
    default: 60
  probe:
    description:
      - Addresses to which full-size packets that must not be fragmented are sent from the host, before and after. Where
        they arrived in full size before and vanish afterwards, the change is undone.
      - The address that the connection comes from and the default gateway are always among them.
    type: list
    elements: str
    default: []
  armed:
    description:
      - Name of the guard that has to be armed on the host, else nothing is changed.
      - Set by the action of this module; for those who call M(netfit.cluster.change_guard) themselves.
    type: str
    default: ""
  run:
    description:
      - Name of the run in the host's journal, by which M(netfit.cluster.change_guard) undoes it. By default a new one.
    type: str
    default: ""
extends_documentation_fragment:
  - netfit.cluster.changes
seealso:
  - module: netfit.cluster.change_guard
  - module: netfit.cluster.cni_mtu
  - module: netfit.cluster.mtu_facts
"""

EXAMPLES = r"""
---
- name: Lower the uplink, guarded, and keep it so
  netfit.cluster.link_mtu:
    links:
      - {link: eth0, mtu: 1450}

- name: Heal a running container at once, both ends of its veth pair
  netfit.cluster.link_mtu:
    links:
      - {link: eth0, mtu: 1450, pid: 4711}
    guard: false
"""

RETURN = r"""
links:
  description:
    - Every link that is concerned, in the order in which they are set, with C(link), C(namespace) (inode of its network
      namespace, null for the host's), C(owner), C(before), C(after) (bytes), C(manager) (who configures it, null where
      nobody that is known does), C(persisted) (whether it lasts over a restart and a reboot), C(files) (written for
      it), C(notes) and C(reason) (why it does not last, or how its manager was found).
  returned: always
  type: list
  elements: dict
  sample:
    - link: eth0
      namespace: null
      owner: node1
      before: 1500
      after: 1450
      manager: networkd
      persisted: true
      files: [/etc/systemd/network/10-lan.network.d/90-netfit-mtu.conf]
      notes: []
      reason: /run/systemd/netif/links/2 says that it is configured
routes:
  description:
    - Every route that is concerned, with C(route), C(namespace), C(pid), C(owner), C(before), C(after) (bytes, null for
      none of its own) and C(reason) (why it was not changed).
  returned: always
  type: list
  elements: dict
  sample: []
gone:
  description: What was left out because it was not there, and why, with O(gone=skip). Routes tell it with the others.
  returned: always
  type: list
  elements: str
  sample: []
overdue:
  description:
    - What another run's changes were that were undone first, because the time of its guard was over and its timer had
      not done it, in words; empty where there was none.
  returned: always
  type: str
  sample: ""
written:
  description: Files that were written.
  returned: always
  type: list
  elements: str
  sample: [/etc/systemd/network/10-lan.network.d/90-netfit-mtu.conf]
run:
  description: Name of the run in the journal; empty where nothing was changed.
  returned: always
  type: str
  sample: 20260101T120000Z-0a1b2c
guard:
  description:
    - How the guard ended, with C(outcome) (V(confirmed) or V(rolled back)), C(reason), C(seconds) that the fresh
      connection took, and after a roll-back C(undone), the names of what is as it was.
  returned: when O(guard=true) and something was changed
  type: dict
  sample: {outcome: confirmed, reason: "", seconds: 2.1, undone: []}
"""

import os
from typing import Any, Dict, List, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.guard import Paths
from ansible_collections.netfit.cluster.plugins.module_utils._change.guard_timer import end_overdue
from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import Change, check_run_name
from ansible_collections.netfit.cluster.plugins.module_utils._change.link_mtu import carry_out, plan_links, wishes_of
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Gone
from ansible_collections.netfit.cluster.plugins.module_utils._change.route_mtu import route_wishes_of
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import HostLock

ARGUMENTS: Dict[str, Any] = {
    "links": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "link": {"type": "str", "required": True},
            "mtu": {"type": "int", "required": True},
            "namespace": {"type": "path"},
            "pid": {"type": "int"},
        },
    },
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "destination": {"type": "str", "required": True},
            "mtu": {"type": "int"},
            "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
            "device": {"type": "str"},
            "table": {"type": "int", "default": 254},
            "namespace": {"type": "path"},
            "pid": {"type": "int"},
        },
    },
    "gone": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "live": {"type": "bool", "default": True},
    "persist": {"type": "bool", "default": True},
    "guard": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 60.0},
    "probe": {"type": "list", "elements": "str", "default": []},
    "armed": {"type": "str", "default": ""},
    "run": {"type": "str", "default": ""},
}


def main() -> None:
    """Plan, change and exit."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = set_mtus(module.params, module.check_mode)
    except (ValueError, Gone, ChangeError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def set_mtus(params: Mapping[str, Any], check_only: bool) -> Dict[str, Any]:
    """Do what the options say and return the result. Raises ValueError, Gone, ChangeError."""
    if params["run"]:
        check_run_name(params["run"])
    if not params["live"] and not params["persist"]:
        raise ValueError("live and persist are both off: nothing is left to do")
    links, routes = wishes_of(params["links"]), route_wishes_of(params["routes"])
    overdue = "" if check_only else _end_overdue()
    skip_gone = params["gone"] == "skip"
    plan = plan_links(links, params["persist"], routes=routes, skip_gone=skip_gone)
    changes = plan.changes(params["live"])
    run = ""
    gone: List[Change] = []
    if changes and not check_only:
        run, gone = carry_out(changes, params["run"], armed=params["armed"], skip_gone=skip_gone)
    result = plan.without(gone).as_result(params["live"])
    return {**result, "changed": len(changes) > len(gone), "run": run, "overdue": overdue}


def _end_overdue() -> str:
    """Undo what another run's guard should have undone before, and tell it. Raises ChangeError."""
    if not os.path.exists(Paths().pending):
        return ""
    lock = HostLock()
    try:
        ended = end_overdue(Paths())
    finally:
        lock.release()
    return ended.in_words() if ended is not None else ""


if __name__ == "__main__":
    main()
