# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what each host has to measure, on the controller. Documentation: plugins/modules/mesh_plan.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._mesh.members import Member, from_facts, from_variables, with_distinct_addresses
from ..plugin_utils._mesh.peers import Peer, PeerError, parse_peers
from ..plugin_utils._mesh.plan import Node, plan, rows
from ..plugin_utils._mesh.targets import CLASSES, Assignment, Settings
from ..plugin_utils._rules.plain import facts_of, plain_copy
from ..plugin_utils._rules.read_view import FACT_NAMES, view_host

SPARE_SECONDS = 20
"""Seconds that responders live longer than they should have to."""
LONGEST_LIFE = 3600
"""Seconds that a responder lives at most, however many hosts take turns."""
TASK_SECONDS = 10
"""Seconds that a task takes on a slow host beside what it is there to do."""
ARGUMENTS = {
    "probe": {"type": "str", "choices": ["none", "hosts", "pods", "all"], "default": "all"},
    "hosts": {"type": "list", "elements": "str"},
    "peers": {"type": "raw"},
    "responder_port": {"type": "int", "default": 47815},
    "responders": {"type": "bool", "default": True},
    "vantage_group": {"type": "str", "default": "vantage"},
    "node_ports": {"type": "list", "elements": "int", "default": []},
    "expect": {"type": "str", "choices": ["carried", "promised"], "default": "carried"},
    "expected_mtu": {"type": "int"},
    "timeout": {"type": "float", "default": 10.0},
}


class ActionModule(ActionBase):
    """The action behind netfit.cluster.mesh_plan. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Validate the options and return the work of every host of the play."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENTS)
        variables: Mapping[str, Any] = task_vars or {}
        check_ports(options)
        try:
            peers = parse_peers(plain_copy(options["peers"]))
        except PeerError as error:
            raise AnsibleActionFail(str(error)) from error
        result["changed"] = False
        result.update(assign(variables, options, peers, responders=options["responders"] and not self._task.check_mode))
        return result


def check_ports(options: Mapping[str, Any]) -> None:
    """Raise AnsibleActionFail for a number that is no port."""
    for name, ports in (("responder_port", [options["responder_port"]]), ("node_ports", options["node_ports"])):
        for port in ports:
            if not 1 <= port <= 65535:
                raise AnsibleActionFail(f"{name}: {port} is no port; a port is a number from 1 to 65535")


def assign(
    variables: Mapping[str, Any], options: Mapping[str, Any], peers: List[Peer], responders: bool
) -> Dict[str, Any]:
    """Return the work of the hosts of this play as the action's result."""
    hostvars = variables["hostvars"]
    playing = dict.fromkeys(str(name) for name in variables.get("ansible_play_hosts_all", []))
    vantages = {str(name) for name in variables.get("groups", {}).get(options["vantage_group"], [])}
    names = [str(name) for name in options["hosts"] or playing if name not in vantages]
    unknown = sorted(name for name in names if name not in hostvars)
    if unknown:
        raise AnsibleActionFail(f"hosts: {', '.join(unknown)} not in the inventory")
    given = {peer.name: peer for peer in peers}
    members, zones = {}, {name: peer.zone for name, peer in given.items()}
    able = set(names)
    for name in [*names, *(name for name in given if name not in able and name in hostvars)]:
        stated = hostvars[name]
        zones[name] = _text(stated, "netfit_zone") or zones.get(name)
        if name in able:
            members[name] = _member(name, facts_of(hostvars, name), stated, given.get(name))
    for peer in peers:
        members.setdefault(peer.name, from_variables(peer.name, peer.address, None, peer.pods))
    distinct = {member.name: member for member in with_distinct_addresses(members.values())}
    probers = {name for name in names if name in playing and distinct[name].view is not None}
    nodes = [Node(name, zones.get(name), name not in able) for name in distinct]
    settings = Settings(
        CLASSES[options["probe"]],
        options["responder_port"] if responders else None,
        options["expected_mtu"],
        options["node_ports"],
        options["expect"] == "promised",
    )
    assignment = Assignment(distinct, probers, settings)
    assignment.add_pairs(rows(plan(nodes), probers))
    assignment.add_vantages(vantages & playing.keys(), distinct.values())
    return {
        "hosts": {name: vars(work) for name, work in assignment.work.items()},
        "responder_lifetime": lifetime(len(probers), int(variables.get("ansible_forks") or 1), options["timeout"]),
        "left_out": [vars(one) for one in assignment.left_out],
        "warnings": [f"not measured: {one.name}: {one.reason}" for one in assignment.left_out],
    }


def lifetime(hosts: int, forks: int, timeout: float) -> int:
    """Return seconds that responders have to live: while hosts take turns to start theirs, and then to measure."""
    turns = math.ceil(hosts / max(forks, 1))
    return min(round(SPARE_SECONDS + turns * (TASK_SECONDS + timeout + TASK_SECONDS)), LONGEST_LIFE)


def _member(name: str, gathered: Mapping[str, Any], variables: Mapping[str, Any], peer: Optional[Peer]) -> Member:
    facts = {fact: plain_copy(gathered[fact]) for fact in FACT_NAMES if fact in gathered}
    stated, login = _text(variables, "netfit_address"), _text(variables, "ansible_host") or name
    if facts:
        return from_facts(name, facts, view_host(name, facts), stated, login)
    address = peer.address if peer is not None else None
    return from_variables(name, stated or address, login, peer.pods if peer is not None else ())


def _text(variables: Mapping[str, Any], name: str) -> Optional[str]:
    value = variables.get(name)
    return str(value) if value is not None and str(value).strip() else None
