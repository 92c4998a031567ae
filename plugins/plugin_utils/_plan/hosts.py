# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a plan: the views of their facts and of what was measured from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._rules import plain
from .._rules.assessment import AUDITED, is_current
from .._rules.path_view import PathView
from .._rules.read_paths import read_measured
from .._rules.read_view import view_host
from .._rules.view import HostView


@dataclass(frozen=True)
class PlanHost:
    """A host with facts. paths: that were measured from it. address: its own as its peers see it, where stated."""

    view: HostView
    paths: Tuple[PathView, ...] = ()
    address: Optional[str] = None

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.view.name


@dataclass(frozen=True)
class LeftOut:
    """A host that has no part in the plan, and why."""

    host: str
    reason: str


def read_hosts(variables: Mapping[str, Any], names: Sequence[str]) -> Tuple[List[PlanHost], List[LeftOut]]:
    """Return the hosts that have facts, and those without.

    variables: by host, its variables (with ansible_facts) or its ansible_facts themselves. names: of the hosts.
    """
    hosts: List[PlanHost] = []
    left_out: List[LeftOut] = []
    for name in sorted(names):
        own = plain.record(variables, name)
        facts = plain.record(own, "ansible_facts") if "ansible_facts" in own else own
        if not plain.record(facts, "netfit_mtu") or _is_old(facts, own):
            left_out.append(LeftOut(name, _why(facts)))
            continue
        kept: Dict[str, Any] = plain.plain_copy(plain.record(facts, "netfit_assessment"))
        known = {"netfit_mtu": plain.plain_copy(facts["netfit_mtu"])}
        measured = read_measured(name, kept.get("paths"), kept.get("tcp_paths"))
        hosts.append(PlanHost(view_host(name, known), measured.paths, plain.text(own, "netfit_address")))
    return hosts, left_out


def _why(facts: Mapping[str, Any]) -> str:
    reason = plain.text(plain.record(facts, "netfit_assessment"), "reason")
    return reason or "it has no facts: run netfit.cluster.network_facts on it first"


def _is_old(facts: plain.Record, variables: plain.Record) -> bool:
    """Tell whether this run got no facts of a host, so that those which it has are what a cache kept."""
    kept = plain.record(facts, "netfit_assessment")
    return bool(kept) and (not is_current(kept, variables) or kept.get("status", AUDITED) != AUDITED)
