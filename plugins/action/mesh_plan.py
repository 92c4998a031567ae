# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what each host has to measure, on the controller. Documentation: plugins/modules/mesh_plan.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import AbstractSet, Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._mesh.nodes import Known, describe_node, hand_out, peer_node, read_node
from ..plugin_utils._mesh.peers import Peer, PeerError, parse_peers
from ..plugin_utils._mesh.targets import CLASSES, Settings
from ..plugin_utils._rules.plain import plain_copy, raw_variables
from ..plugin_utils._slices.exchange import Exchange, SliceError, exchange_of

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
    "gathered_in": {"type": "str", "default": "netfit_gathered"},
    "slice": {
        "type": "dict",
        "options": {
            "name": {"type": "str"},
            "directory": {"type": "str", "default": "netfit-report"},
            "run": {"type": "str", "default": ""},
            "wait": {"type": "float", "default": 0.0},
        },
    },
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
            peers, exchange = parse_peers(plain_copy(options["peers"])), exchange_of(plain_copy(options["slice"]))
            responders = options["responders"] and not self._task.check_mode
            result.update(assign(variables, options, peers, responders, exchange))
        except (PeerError, SliceError) as error:
            raise AnsibleActionFail(str(error)) from error
        result["changed"] = False
        return result


def check_ports(options: Mapping[str, Any]) -> None:
    """Raise AnsibleActionFail for a number that is no port."""
    for name, ports in (("responder_port", [options["responder_port"]]), ("node_ports", options["node_ports"])):
        for port in ports:
            if not 1 <= port <= 65535:
                raise AnsibleActionFail(f"{name}: {port} is no port; a port is a number from 1 to 65535")


def assign(
    variables: Mapping[str, Any],
    options: Mapping[str, Any],
    peers: List[Peer],
    responders: bool,
    exchange: Optional[Exchange] = None,
) -> Dict[str, Any]:
    """Return the work of the hosts of this play as the action's result. exchange: with other slices, if any.

    Raises SliceError.
    """
    playing = {str(name) for name in variables.get("ansible_play_hosts_all", [])}
    vantages = {str(name) for name in variables.get("groups", {}).get(options["vantage_group"], [])}
    names = member_names(variables, options, vantages)
    given = {peer.name: peer for peer in peers}
    own = {name: describe_host(name, variables["hostvars"], given.get(name), options["gathered_in"]) for name in names}
    known, told = own_nodes(own, playing), set()
    for peer in peers:
        known.setdefault(peer.name, peer_node(peer))
    if exchange is not None:
        others = exchange.others()
        told = {name for other in others for name in other.hosts}
        known.update(
            nodes_of_slices(known, {name: other.hosts[name] for other in others for name in other.hosts}, playing)
        )
    settings = Settings(
        CLASSES[options["probe"]],
        options["responder_port"] if responders else None,
        options["expected_mtu"],
        options["node_ports"],
        options["expect"] == "promised",
    )
    only = None if exchange is None else playing
    assignment = hand_out(known, vantages & playing, settings, only)
    left_out = [one for one in assignment.left_out if only is None or one.prober in only]
    warnings = [f"not measured: {one.name}: {one.reason}" for one in left_out]
    unheard = [name for name in known if known[name].probes and name not in playing | told]
    wait = options["slice"]["wait"] if exchange is not None and options["slice"] else 0.0
    probers = sum(name in playing for name in known if known[name].probes)
    return {
        "hosts": {name: vars(work) for name, work in assignment.work.items() if only is None or name in only},
        "responder_lifetime": lifetime(probers, int(variables.get("ansible_forks") or 1), options["timeout"], wait),
        "left_out": [{"name": one.name, "reason": one.reason} for one in left_out],
        "warnings": [*warnings, *unheard_words(unheard)],
    }


def member_names(variables: Mapping[str, Any], options: Mapping[str, Any], vantages: AbstractSet[str]) -> List[str]:
    """Return the names of the inventory's nodes, whoever is part of this run. Raises AnsibleActionFail."""
    hostvars, playing = variables["hostvars"], variables.get("ansible_play_hosts_all", [])
    names = [str(name) for name in options["hosts"] or playing if name not in vantages]
    unknown = sorted(name for name in names if name not in hostvars)
    if unknown:
        raise AnsibleActionFail(f"hosts: {', '.join(unknown)} not in the inventory")
    return names


def own_nodes(own: Mapping[str, Mapping[str, Any]], playing: AbstractSet[str]) -> Dict[str, Known]:
    """Return the inventory's nodes. One of this play measures where there are facts of it."""
    return {name: read_node(name, node, name in playing and bool(node["facts"])) for name, node in own.items()}


def nodes_of_slices(
    known: Mapping[str, Known], told: Mapping[str, Mapping[str, Any]], playing: AbstractSet[str]
) -> Dict[str, Known]:
    """Return the nodes outside this play as their slices know them. One that none told of is expected to measure."""
    found = {name: read_node(name, node, bool(node.get("facts"))) for name, node in told.items() if name not in playing}
    for name, node in known.items():
        if name not in playing and name not in found and not node.answers_only:
            found[name] = replace(node, probes=True)
    return found


def unheard_words(names: List[str]) -> List[str]:
    """Return what to say of hosts of other slices whose facts are not known."""
    if not names:
        return []
    shown = ", ".join([*sorted(names)[:5], *(["..."] if len(names) > 5 else [])])
    return [
        f"no other slice has told of {len(names)} hosts ({shown}): their pods are not known here, and paths to them"
        " are measured from the other end alone"
    ]


def lifetime(hosts: int, forks: int, timeout: float, wait: float = 0.0) -> int:
    """Return seconds that responders have to live: while hosts take turns to start theirs, and then to measure.

    wait: seconds that other slices are waited for, each of the two times.
    """
    turns = math.ceil(hosts / max(forks, 1))
    return min(round(SPARE_SECONDS + 2 * wait + turns * (TASK_SECONDS + timeout + TASK_SECONDS)), LONGEST_LIFE)


def describe_host(
    name: str, hostvars: Mapping[str, Any], peer: Optional[Peer], gathered_in: str = "netfit_gathered"
) -> Dict[str, Any]:
    """Return what the plan needs to know of a host of the inventory. gathered_in: what the facts' task registered.

    Facts that a cache kept from an earlier run say nothing where this run could not gather any.
    """
    variables, raw = hostvars[name], raw_variables(hostvars, name)
    gathered = raw.get(gathered_in)
    missed = isinstance(gathered, Mapping) and bool(gathered.get("unreachable") or gathered.get("failed"))
    facts = {} if missed else raw.get("ansible_facts", {})
    stated, zone = (_text(variables, one) for one in ("netfit_address", "netfit_zone"))
    return describe_node(facts, stated, _text(variables, "ansible_host") or name, zone, peer)


def _text(variables: Mapping[str, Any], name: str) -> Optional[str]:
    value = variables.get(name)
    return str(value) if value is not None and str(value).strip() else None
