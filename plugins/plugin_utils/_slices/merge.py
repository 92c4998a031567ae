# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining the results of slices: one audit of all their hosts, assessed anew, whatever their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._mesh.nodes import MESH_FACT, Known, hand_out, read_node
from .._mesh.results import paths as with_unmeasured
from .._mesh.results import tcp_paths as with_unmeasured_ports
from .._mesh.targets import CLASSES, Settings, Work
from .._rules import plain
from .._rules.assessment import AUDITED, MEASURED, assess_one, assess_together
from .._rules.policy import Policy
from .exchange import SliceError
from .result import SETTINGS, SliceResult

ABSENT = {"status": "not_assessed", "reason": "no slice that was merged has this host"}
UNTOLD = {"failed": True, "msg": "the slice of this host did not know the far end"}


@dataclass(frozen=True)
class Merged:
    """assessments: of every host by name. cluster: findings of all together, and fingerprints that they explain.

    notes: what a person has to know about how the slices fit together.
    """

    assessments: Mapping[str, Mapping[str, Any]]
    cluster: Mapping[str, Any]
    notes: Tuple[str, ...]


def merge(slices: Sequence[SliceResult], policy: Policy) -> Merged:
    """Join slices and assess their hosts anew. Raises SliceError where they are not of one audit."""
    settings = _same_settings(slices)
    hosts, notes = _newest(slices)
    known = _nodes(slices, hosts)
    work = _plan(known, hosts, settings)
    results = {name: _results(name, hosts[name], work.get(name, Work())) for name in hosts}
    facts = {name: plain.record(host, "facts") for name, host in hosts.items()}
    assessments: Dict[str, Mapping[str, Any]] = {}
    for name, host in hosts.items():
        status, reason = plain.text(host, "status") or "not_assessed", plain.text(host, "reason")
        if status == "not_assessed":
            assessments[name] = {"status": status, "reason": reason}
        else:
            assessments[name] = assess_one(name, facts[name], results[name], policy, status, reason)
    assessments.update({name: ABSENT for name in _audited_nodes(slices) if name not in hosts})
    together = assess_together(((name, facts[name], results[name]) for name in sorted(hosts)), policy)
    return Merged(assessments, together, tuple(notes))


def policy_of(slices: Sequence[SliceResult]) -> Mapping[str, Any]:
    """Return the user's part of the policy that all slices had. Raises SliceError where they had different ones."""
    by_digest = {str(one.policy.get("digest")): one for one in sorted(slices, key=_age)}
    if len(by_digest) > 1:
        first, second = list(by_digest.values())[:2]
        raise SliceError(
            f"netfit_slices: {first.source} and {second.source} were audited by different policies: give netfit_policy,"
            " so that all are assessed by that"
        )
    return plain.record(next(iter(by_digest.values())).policy, "overrides")


def described_policy(slices: Sequence[SliceResult]) -> Dict[str, Any]:
    """Return what the newest slice says of its policy: with the same policy, only where it came from may differ."""
    return dict(max(slices, key=_age).policy)


def _same_settings(slices: Sequence[SliceResult]) -> plain.Record:
    ordered = sorted(slices, key=_age)
    for other in ordered[1:]:
        for option in SETTINGS:
            if ordered[0].settings.get(option) != other.settings.get(option):
                raise SliceError(
                    f"netfit_slices: {ordered[0].source} has {option} {ordered[0].settings.get(option)!r} and"
                    f" {other.source} has {other.settings.get(option)!r}: they are not slices of one audit"
                )
    return ordered[0].settings


def _newest(slices: Sequence[SliceResult]) -> Tuple[Dict[str, plain.Record], List[str]]:
    """Each host as the newest slice that has it found it; and what is said about that."""
    hosts: Dict[str, plain.Record] = {}
    origin: Dict[str, SliceResult] = {}
    for one in sorted(slices, key=_age):
        for name, host in one.hosts.items():
            hosts[name], origin[name] = host, one
    differing = {name for one in slices for name, host in one.hosts.items() if host != hosts[name]}
    notes = {
        f"{name} is in several slices: the newest counts, {origin[name].source} of {origin[name].written_at}"
        for name in differing
    }
    for what, values in (
        ("versions of the collection", {one.version for one in slices}),
        ("runs", {one.run for one in slices}),
    ):
        if len(values) > 1:
            named = ", ".join(sorted(value or "one without a name" for value in values))
            notes.add(f"the slices are of different {what}: {named}")
    return {name: hosts[name] for name in sorted(hosts)}, sorted(notes)


def _age(one: SliceResult) -> Any:
    """Sort key that depends on nothing but the slice itself."""
    return one.written_at, one.name, _digest(one.hosts), one.source


def _digest(hosts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(sorted(hosts)).encode()).hexdigest()


def _audited_nodes(slices: Sequence[SliceResult]) -> List[str]:
    return sorted({name for one in slices for name, node in one.nodes.items() if node.get("audited") is True})


def _nodes(slices: Sequence[SliceResult], hosts: Mapping[str, plain.Record]) -> Dict[str, Known]:
    """Every node of the plan, as the slice that has it knows it, else as the newest that names it does."""
    described: Dict[str, Tuple[bool, plain.Record]] = {}
    for one in sorted(slices, key=_age):
        for name, node in one.nodes.items():
            own = name in one.hosts
            if own or not described.get(name, (False, {}))[0]:
                described[name] = own, node
    found: Dict[str, Known] = {}
    for name in sorted(described):
        node, host = described[name][1], hosts.get(name)
        facts = plain.record(host, "facts") if host is not None else {}
        audited = node.get("audited") is True
        known = read_node(name, {**node, "facts": facts}, probes=bool(facts.get(MESH_FACT)))
        found[name] = replace(known, answers_only=not audited)
    return found


def _plan(known: Mapping[str, Known], hosts: Mapping[str, plain.Record], settings: plain.Record) -> Dict[str, Work]:
    probe = plain.text(settings, "probe") or "none"
    wanted = Settings(
        CLASSES.get(probe, frozenset()),
        None,
        plain.whole(settings, "expected_mtu"),
        [port for port in settings.get("node_ports") or () if isinstance(port, int)],
        settings.get("expect") == "promised",
    )
    if not wanted.classes:
        return {}
    vantages = {name for name, host in hosts.items() if host.get("vantage") is True and host.get("status") == AUDITED}
    return hand_out(known, vantages, wanted).work


def _results(name: str, host: plain.Record, work: Work) -> Dict[str, List[Any]]:
    """What was measured from a host, with what is expected of it by the facts of all slices."""
    found = {option: plain.records(host, option) for option in MEASURED}
    if host.get("status") != AUDITED or not (work.targets or work.tcp_targets):
        return {option: list(entries) for option, entries in found.items()}
    planned = with_unmeasured(name, work.targets, {**UNTOLD, "paths": found["paths"]})
    ports = with_unmeasured_ports(name, work.tcp_targets, {**UNTOLD, "paths": found["tcp_paths"]})
    return {
        **{option: list(entries) for option, entries in found.items()},
        "paths": _with_expectations(planned, found["paths"], work.targets),
        "tcp_paths": _with_expectations(ports, found["tcp_paths"], work.tcp_targets),
    }


def _with_expectations(
    planned: Sequence[Mapping[str, Any]], measured: Sequence[plain.Record], targets: Sequence[Mapping[str, Any]]
) -> List[Dict[str, Any]]:
    """The paths of the plan with its expectations, then those that were measured beyond it as they are."""
    by_name = {str(target["name"]): target for target in targets}
    expected: List[Dict[str, Any]] = []
    for path in planned:
        target = by_name[str(path.get("name"))]
        about: Optional[Any] = target.get("about")
        expected.append({**path, "expected_mtu": target.get("expected_mtu"), "about": about})
    beyond = [dict(path) for path in measured if str(path.get("name")) not in by_name]
    return [*expected, *beyond]
