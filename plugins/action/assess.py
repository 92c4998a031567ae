# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns facts and policy into findings, on the controller. Documentation: plugins/modules/assess.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._model.finding import Finding
from ..plugin_utils._report.document import describe_policy
from ..plugin_utils._rules.assess import assess_host, finish, summarize
from ..plugin_utils._rules.assess_mesh import mesh_rules
from ..plugin_utils._rules.cluster import cluster_rules
from ..plugin_utils._rules.path_view import Measured
from ..plugin_utils._rules.plain import facts_of, plain_copy
from ..plugin_utils._rules.policy import Policy, PolicyError, load_policy
from ..plugin_utils._rules.problems import not_audited
from ..plugin_utils._rules.read_paths import read_measured
from ..plugin_utils._rules.read_view import FACT_NAMES, view_host
from ..plugin_utils._rules.view import HostView

ARGUMENTS = {
    "policy": {"type": "raw"},
    "scope": {"type": "str", "choices": ["host", "cluster", "policy"], "default": "host"},
    "gathered": {"type": "dict"},
    "hosts": {"type": "list", "elements": "str"},
    "paths": {"type": "list", "elements": "dict"},
    "tcp_paths": {"type": "list", "elements": "dict"},
    "traces": {"type": "list", "elements": "dict"},
}
MEASURED = ("paths", "tcp_paths", "traces")


class ActionModule(ActionBase):
    """The action behind netfit.cluster.assess. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Validate the options and assess what the scope says."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENTS)
        try:
            policy = load_policy(plain_copy(options["policy"]))
        except PolicyError as error:
            raise AnsibleActionFail(str(error)) from error
        scopes = {"host": _assess_host, "cluster": _assess_cluster}
        result["changed"] = False
        result["policy"] = describe_policy(policy)
        if options["scope"] == "policy":
            result["sysctl_keys"] = policy.sysctl_keys
        else:
            result.update(scopes[options["scope"]](task_vars or {}, policy, options))
        return result


def _assess_host(task_vars: Mapping[str, Any], policy: Policy, options: Mapping[str, Any]) -> Dict[str, Any]:
    name, gathered = str(task_vars["inventory_hostname"]), options["gathered"] or {}
    facts = _netfit_facts(task_vars.get("ansible_facts", {}))
    kernel: Optional[str] = None
    namespaces: Optional[int] = None
    reason: Optional[str] = None
    results = {option: plain_copy(options[option] or []) for option in MEASURED}
    if gathered.get("unreachable") or gathered.get("failed"):
        status = "unreachable" if gathered.get("unreachable") else "failed"
        reason = _reason(gathered)
        findings = finish(policy, [not_audited(name, policy, reason)])
    elif facts or any(results.values()):
        status, host = "audited", view_host(name, facts)
        kernel = host.kernel or None
        namespaces = len(host.inodes)
        findings = assess_host(name, facts, policy, read_measured(name, **results))
    else:
        raise AnsibleActionFail(f"no netfit facts of {name}: run netfit.cluster.network_facts on it first")
    plain = _as_facts(findings)
    assessment = {
        "status": status,
        "reason": reason,
        "kernel": kernel,
        "namespaces": namespaces,
        "policy": describe_policy(policy),
        "findings": plain,
        **results,
    }
    return {"findings": plain, "summary": summarize(plain), "ansible_facts": {"netfit_assessment": assessment}}


def _reason(gathered: Mapping[str, Any]) -> str:
    """Why a host gave no facts: Ansible's words, and the first that the host itself said where it said something."""
    message = str(gathered.get("msg") or "no reason given").removeprefix("Task failed: ")
    said = str(gathered.get("module_stderr") or "").strip().partition("\n")[0]
    return f"{message} ({said})" if said and said not in message else message


def _assess_cluster(task_vars: Mapping[str, Any], policy: Policy, options: Mapping[str, Any]) -> Dict[str, Any]:
    names = options["hosts"] or task_vars.get("ansible_play_hosts_all", [])
    hostvars = task_vars["hostvars"]
    unknown = sorted(str(name) for name in names if name not in hostvars)
    if unknown:
        raise AnsibleActionFail(f"hosts: {', '.join(unknown)} not in the inventory")
    views: List[HostView] = []
    measured: Dict[str, Measured] = {}
    for name in sorted({str(name) for name in names}):
        gathered = facts_of(hostvars, name)
        measured[name] = _measured(name, gathered)
        facts = _netfit_facts(gathered)
        if facts:
            views.append(view_host(name, facts))
    mesh = mesh_rules(measured, views, policy)
    findings = _as_facts(finish(policy, [*cluster_rules(views, policy), *mesh.findings]))
    kept = {"findings": findings, "explained": list(mesh.explained)}
    return {
        "findings": findings,
        "summary": summarize(findings),
        "ansible_facts": {"netfit_cluster_assessment": kept},
    }


def _measured(name: str, gathered: Mapping[str, Any]) -> Measured:
    """What was measured from a host, as its own assessment kept it."""
    kept = gathered.get("netfit_assessment")
    results = kept if isinstance(kept, Mapping) else {}
    return read_measured(name, **{option: plain_copy(results.get(option)) for option in MEASURED})


def _netfit_facts(facts: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: plain_copy(facts[name]) for name in FACT_NAMES if name in facts}


def _as_facts(findings: List[Finding]) -> List[Dict[str, Any]]:
    return [finding.as_fact() for finding in findings]
