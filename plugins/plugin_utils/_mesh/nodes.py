# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a plan, as a run, another slice or a list of peers knows them, and what each of them has to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import AbstractSet, Any, Dict, Optional

from .._rules import plain
from .._rules.read_view import view_host
from .members import Member, from_facts, from_variables, with_distinct_addresses
from .peers import Peer
from .plan import Node, plan, rows
from .targets import Assignment, Settings

MESH_FACT = "netfit_mtu"
"""The fact that says all that the plan needs to know of a host."""


@dataclass(frozen=True)
class Known:
    """A node. zone: for people's own division of their network.

    probes: its rows of the plan are measured from it, in this run or in another slice. answers_only: it never can.
    """

    member: Member
    zone: Optional[str] = None
    probes: bool = False
    answers_only: bool = False


def describe_node(
    facts: plain.Record, stated: Optional[str], login: Optional[str], zone: Optional[str], peer: Optional[Peer]
) -> Dict[str, Any]:
    """Return what the plan needs to know of a host; facts as they came. stated: its address by netfit_address.

    login: where Ansible finds it. peer: what netfit_peers says of it.
    """
    known = {MESH_FACT: facts[MESH_FACT]} if facts.get(MESH_FACT) else {}
    return {
        "facts": known,
        "stated": stated,
        "login": login,
        "zone": zone or (peer.zone if peer is not None else None),
        "address": peer.address if peer is not None else None,
        "pods": [dict(pod) for pod in peer.pods] if peer is not None else [],
    }


def read_node(name: str, node: plain.Record, probes: bool) -> Known:
    """Return the node that a description is about."""
    facts, stated, login = plain.record(node, "facts"), plain.text(node, "stated"), plain.text(node, "login")
    if facts.get(MESH_FACT):
        member = from_facts(name, facts, view_host(name, facts), stated, login)
    else:
        pods = plain.records(node, "pods")
        member = from_variables(name, stated or plain.text(node, "address"), login, pods)
    return Known(member, plain.text(node, "zone"), probes)


def peer_node(peer: Peer) -> Known:
    """Return the node that a peer is."""
    member = from_variables(peer.name, peer.address, None, peer.pods)
    return Known(member, peer.zone, peer.audited, not peer.audited)


def hand_out(
    known: Mapping[str, Known],
    vantages: AbstractSet[str],
    settings: Settings,
    only: Optional[AbstractSet[str]] = None,
) -> Assignment:
    """Hand out the paths of the plan. known: every node by name; vantages: who measures node ports.

    only: the hosts whose work is wanted; what others have to do may then be incomplete.
    """
    distinct = {one.name: one for one in with_distinct_addresses(node.member for node in known.values())}
    probers = {name for name, node in known.items() if node.probes}
    nodes = [Node(name, node.zone, node.answers_only) for name, node in known.items()]
    pairs = rows(plan(nodes), probers)
    if only is not None:
        pairs = [pair for pair in pairs if pair.ends & only]
    assignment = Assignment(distinct, probers, settings)
    assignment.add_pairs(pairs)
    assignment.add_vantages(vantages, [distinct[name] for name in known])
    return assignment
