#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stop-gap for pods with too large an MTU."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mss_clamp
short_description: Let forwarded TCP connections fit the MTU of their route until the pods' MTU is right
description:
  - A pod whose MTU is larger than what the overlay carries offers its clients a segment size (MSS) that does not fit.
    Where the ICMP message that says so is not heard, as by many load balancers, their large uploads hang.
  - This keeps a table of nftables of its own, C(inet netfit_mss), on a node. It lowers the MSS of every TCP connection
    that is opened through the node to what the route's MTU leaves, in both directions, for IPv4 and IPv6. It never
    raises one.
  - It takes effect at once, on all connections that are opened from then on, and needs no restart of pods. It belongs
    on every node that forwards such connections, which are all that a NodePort or a load balancer leads to.
  - It is a stop-gap. RV(lasts) says for how long, and RV(limits) what it does not heal. The cure is the right MTU in
    the pods. Remove it then with O(state=absent).
  - Whether the rules in the kernel are right is found by letting this host's nft list them, and the wanted ones in a
    network namespace that is made for that and ends at once.
  - With O(persist=true) a unit of its own, C(netfit-mss-clamp.service), loads C(/etc/netfit/mss_clamp.nft) at boot.
    Whenever C(nftables.service) is started, restarted, reloaded or stopped, which usually flushes all tables, a drop-in
    lets it load them again as the last step of that. If somebody else flushes them, the next run puts them back.
  - Tables of others are neither read nor changed. Every change is recorded in the journal of netfit before it is made.
version_added: 0.4.0
options:
  state:
    description: Whether forwarded connections are to be clamped.
    type: str
    choices: [present, absent]
    default: present
  interfaces:
    description:
      - Only connections that come in or go out through one of these, as in V(flannel.1) or V(cali*).
      - By default all that the host forwards.
      - A name that no link of the host has gives a warning, because the link may be made later.
    type: list
    elements: str
    default: []
  ports:
    description:
      - Only connections that the client has opened to one of these ports, as in V(30004) or V(30000-32767). For a
        NodePort that is the node port, whatever it is translated into.
      - By default all. With ports the kernel has to track connections, which it does on nodes of Kubernetes and docker
        anyway.
    type: list
    elements: str
    default: []
  persist:
    description:
      - Whether the rules come back after a boot and after a restart of the firewall. That takes systemd. Without it
        the rules are set all the same, and RV(reason) says so.
      - With V(false) files of an earlier run are removed, too.
    type: bool
    default: true
  run:
    description:
      - Name of the run that the changes are recorded under, for undoing them together.
      - By default a new one.
    type: str
    default: ""
extends_documentation_fragment:
  - netfit.cluster.changes
seealso:
  - module: netfit.cluster.change_guard
    description: Undoes what this module has changed.
  - module: netfit.cluster.tcp_path_info
    description: Shows the segment size that a client is offered, before and after.
"""

EXAMPLES = r"""
---
- name: Clamp what the node forwards, from now on and after a boot
  netfit.cluster.mss_clamp:

- name: Clamp only what goes over the overlay to node ports
  netfit.cluster.mss_clamp:
    interfaces: [flannel.1]
    ports: [30000-32767]

- name: The pods have the right MTU now
  netfit.cluster.mss_clamp:
    state: absent
"""

RETURN = r"""
run:
  description: Name of the run in the journal, empty when nothing was changed.
  returned: success
  type: str
  sample: fix-20260101-1
before:
  description: The table as it was, empty where there was none.
  returned: success
  type: str
  sample: ""
after:
  description: The table as it is, in check mode as it would be; empty where there is none.
  returned: success
  type: str
  sample: |
    table inet netfit_mss {
            chain forward {
                    type filter hook forward priority mangle; policy accept;
                    tcp flags syn / syn,rst counter tcp option maxseg size set rt mtu
            }
    }
written:
  description: The files and links that were written or removed, in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/etc/netfit/mss_clamp.nft, /etc/systemd/system/netfit-mss-clamp.service]
persisted:
  description: Whether the rules come back after a boot.
  returned: success
  type: bool
  sample: true
reason:
  description: Why they do not although that was asked for, or what could not be looked at. Empty where all is well.
  returned: success
  type: str
  sample: ""
by_hand:
  description:
    - Tables that were made by hand, with the commands that a report has for a port, as family and name. They are left
      alone. With O(state=absent) they give a warning.
  returned: success
  type: list
  elements: str
  sample: [ip netfit_mss_30004]
lasts:
  description: How long the clamp lasts. Empty with O(state=absent).
  returned: success
  type: str
  sample: >-
    until it is removed, also after a boot and a restart of the firewall; remove it (state: absent) when the MTU of the
    pods is right
limits:
  description: What it does not heal. Empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: ["only TCP is healed: datagrams (QUIC, DNS) that are too large are lost as before"]
"""

import socket
from typing import Any, List, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.mss_clamp import (
    ClampHost,
    ClampPlan,
    ClampWish,
    carry_out,
    plan_clamp,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._model.mss_clamp import parse_scope, unmatched

NAME = "mss_clamp"
HOST = ClampHost()


def main() -> None:
    """Plan, change, and exit."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "interfaces": {"type": "list", "elements": "str", "default": []},
            "ports": {"type": "list", "elements": "str", "default": []},
            "persist": {"type": "bool", "default": True},
            "run": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        wish = wanted(module.params)
        session = Session(module.params["run"], NAME, HOST.resources)
        plan = plan_clamp(wish, HOST)
    except (ValueError, ChangeError) as error:
        module.fail_json(msg=str(error))
    run = ""
    if plan.changes and not module.check_mode:
        run = session.run
        try:
            with session:
                carry_out(plan, session, HOST)
        except ChangeError as error:
            module.fail_json(msg=str(error), not_taken_back=session.not_taken_back, run=run)
    for text in warnings(wish, plan):
        module.warn(text)
    module.exit_json(run=run, **plan.as_result(HOST.root))


def wanted(params: Mapping[str, Any]) -> ClampWish:
    """Return what is asked for. Raises ValueError."""
    scope = parse_scope(params["interfaces"], params["ports"])
    return ClampWish(params["state"] == "present", scope, params["persist"])


def warnings(wish: ClampWish, plan: ClampPlan) -> List[str]:
    """Return what may be otherwise than the user thinks."""
    if not wish.present:
        texts = [
            f"the table {name} was made by hand and is still there: nft delete table {name}" for name in plan.by_hand
        ]
    else:
        missing = unmatched(wish.scope, [name for _index, name in socket.if_nameindex()])
        texts = [f"interfaces: no link of this host is {name} now: it is clamped once there is one" for name in missing]
    return [*texts, plan.reason] if plan.reason else texts


if __name__ == "__main__":
    main()
