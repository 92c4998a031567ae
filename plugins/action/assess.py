# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns facts and policy into findings, on the controller. Documentation: plugins/modules/assess.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Iterator, List, Optional, Tuple

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._report.document import describe_policy
from ..plugin_utils._rules.assess import summarize
from ..plugin_utils._rules.assessment import (
    AUDIT,
    AUDITED,
    MEASURED,
    assess_one,
    assess_together,
    kept_assessment,
    kept_facts,
)
from ..plugin_utils._rules.plain import Record, plain_copy, raw_variables
from ..plugin_utils._rules.policy import Policy, PolicyError, load_policy

ARGUMENTS = {
    "policy": {"type": "raw"},
    "scope": {"type": "str", "choices": ["host", "cluster", "policy"], "default": "host"},
    "gathered": {"type": "dict"},
    "hosts": {"type": "list", "elements": "str"},
    "paths": {"type": "list", "elements": "dict"},
    "tcp_paths": {"type": "list", "elements": "dict"},
    "traces": {"type": "list", "elements": "dict"},
    "http_requests": {"type": "list", "elements": "dict"},
    "keepalive": {"type": "list", "elements": "dict"},
}


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
    facts = kept_facts(task_vars, None)
    results = {option: plain_copy(options[option] or []) for option in MEASURED}
    status, reason = AUDITED, None
    if gathered.get("unreachable") or gathered.get("failed"):
        status, reason = "unreachable" if gathered.get("unreachable") else "failed", _reason(gathered)
    elif not facts and not any(results.values()):
        raise AnsibleActionFail(f"no netfit facts of {name}: run netfit.cluster.network_facts on it first")
    assessment = {
        **assess_one(name, facts, results, policy, status, reason),
        "policy": describe_policy(policy),
        **({AUDIT: str(task_vars[AUDIT])} if AUDIT in task_vars else {}),
    }
    plain = assessment["findings"]
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
    found = assess_together(_known(hostvars, [str(name) for name in names]), policy)
    current = {AUDIT: str(task_vars[AUDIT])} if AUDIT in task_vars else {}
    return {
        "findings": found["findings"],
        "summary": summarize(found["findings"]),
        "ansible_facts": {"netfit_cluster_assessment": {**found, **current}},
    }


def _known(hostvars: Mapping[str, Any], names: List[str]) -> Iterator[Tuple[str, Record, Record]]:
    """What this run has of each host."""
    for name in names:
        variables = raw_variables(hostvars, name)
        kept = kept_assessment(variables)
        yield name, kept_facts(variables, kept), kept or {}
