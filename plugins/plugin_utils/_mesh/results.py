# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One result for each path of the plan: what was measured, or why it was not."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ...module_utils._model.owner import Owner, OwnerKind
from ...module_utils._model.path import Direction, PathMeasurement, TcpPath, Verdict
from .._rules.plain import plain_copy, records

Target = Mapping[str, Any]


def paths(host: str, targets: Sequence[Target], result: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Return a PathMeasurement fact for each target of path_mtu_info. result: what the task was registered as."""
    measured = _by_name(result, "paths")
    return [measured.get(target["name"]) or _unknown_path(host, target, reason(result)) for target in targets]


def tcp_paths(host: str, targets: Sequence[Target], result: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Return a TcpPath fact for each target of tcp_path_info."""
    measured = _by_name(result, "paths")
    return [measured.get(target["name"]) or _unknown_tcp_path(host, target, reason(result)) for target in targets]


def reason(result: Mapping[str, Any]) -> str:
    """Why a task gave no result, in the words of Ansible or of the host itself."""
    message = str(result.get("msg") or "").removeprefix("Task failed: ")
    said = str(result.get("module_stderr") or "").strip().partition("\n")[0]
    words = [word for word in (message, said) if word]
    if result.get("unreachable"):
        return f"the host could not be reached when it was to measure: {' '.join(words)}".rstrip(": ")
    if result.get("failed"):
        return f"measuring failed: {' '.join(words) or 'no reason given'}"
    return "the measurement has no result for this path"


def _by_name(result: Mapping[str, Any], key: str) -> Dict[str, Dict[str, Any]]:
    return {str(entry.get("name")): plain_copy(entry) for entry in records(result, key)}


def _source(host: str, target: Target) -> Owner:
    """The owner that a source names, as far as its own words tell."""
    source = target.get("source") or {}
    if "pod" in source:
        namespace, _slash, pod = str(source["pod"]).rpartition("/")
        return Owner(OwnerKind.POD, str(source["pod"]), pod, namespace or None)
    return Owner(OwnerKind.UNKNOWN, str(source["namespace"])) if source else Owner(OwnerKind.HOST, host)


def _unknown_path(host: str, target: Target, why: str) -> Dict[str, Any]:
    nothing = Direction(Verdict.UNKNOWN, reason=why)
    return PathMeasurement(
        name=target["name"],
        target=target["address"],
        address=None,
        family=None,
        source=_source(host, target),
        namespace=None,
        method=None,
        verdict=Verdict.UNKNOWN,
        forward=nothing,
        back=nothing,
        expected_mtu=target.get("expected_mtu"),
        reason=why,
        about=plain_copy(target.get("about") or {}),
    ).as_fact()


def _unknown_tcp_path(host: str, target: Target, why: str) -> Dict[str, Any]:
    return TcpPath(
        name=target["name"],
        target=target["host"],
        address=None,
        port=target["port"],
        family=None,
        source=_source(host, target),
        namespace=None,
        verdict=Verdict.UNKNOWN,
        expected_mtu=target.get("expected_mtu"),
        reason=why,
        about=plain_copy(target.get("about") or {}),
    ).as_fact()
