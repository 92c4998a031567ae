# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of several slices, on the controller. Documentation: plugins/modules/merged_report.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ..plugin_utils._report.baseline import Baseline
from ..plugin_utils._report.document import build_document, describe_policy
from ..plugin_utils._rules.plain import plain_copy
from ..plugin_utils._rules.policy import PolicyError, load_policy
from ..plugin_utils._rules.waivers import Waivers
from ..plugin_utils._slices.exchange import SliceError
from ..plugin_utils._slices.merge import Merged, described_policy, merge, policy_of
from ..plugin_utils._slices.result import find_files, read_slices
from .report import ARGUMENTS as REPORT
from .report import ActionModule as ReportAction

LEFT_OUT = ("scope", "hosts", "verify", "before", "promised")
ARGUMENTS = {
    **{name: option for name, option in REPORT.items() if name not in LEFT_OUT},
    "scope": {"type": "str", "choices": ["cluster", "check", "missing"], "default": "cluster"},
    "before": REPORT["before"],
    "slices": {"type": "raw"},
    "policy": {"type": "raw"},
    "missing": {"type": "dict", "default": {}},
}
SHOWN = 5
"""Hosts that are named before the rest is counted."""


class ActionModule(ReportAction):
    """The action behind netfit.cluster.merged_report. Touches no target."""

    _arguments = ARGUMENTS
    _merged: Optional[Merged] = None

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Merge what the slices found and report it, or end as the audit of the hosts that are missing ended."""
        if self._task.args.get("scope") == "missing":
            end_as_missing(plain_copy(self._task.args.get("missing") or {}))
            return {"changed": False}
        result: Dict[str, Any] = super().run(tmp, task_vars)
        if self._merged is not None:
            result["missing"] = {
                name: {"status": assessment["status"], "reason": assessment.get("reason")}
                for name, assessment in sorted(self._merged.assessments.items())
                if assessment["status"] != "audited"
            }
            result["notes"] = list(self._merged.notes)
            result["warnings"] = [*result.get("warnings", []), *self._merged.notes]
        return result

    def _document(
        self,
        variables: Mapping[str, Any],
        options: Mapping[str, Any],
        waivers: Waivers,
        baseline: Optional[Baseline],
    ) -> Dict[str, Any]:
        """Return the report of the hosts of all slices."""
        try:
            slices = read_slices(find_files(plain_copy(options["slices"])))
            given = plain_copy(options["policy"]) or policy_of(slices)
            policy = load_policy(given)
            self._merged = merge(slices, policy)
        except (PolicyError, SliceError) as error:
            raise AnsibleActionFail(str(error)) from error
        described = describe_policy(policy) if options["policy"] else described_policy(slices)
        cluster = self._merged.cluster
        return build_document(
            self._merged.assessments,
            cluster["findings"],
            described,
            explained=cluster["explained"],
            waivers=waivers,
            baseline=baseline,
        )


def end_as_missing(missing: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise what stopped the audit of hosts, so that Ansible ends as the slices did. missing: by name."""
    for status, raised in (
        ("unreachable", AnsibleConnectionFailure),
        ("failed", AnsibleActionFail),
        ("not_assessed", AnsibleActionFail),
    ):
        names = [name for name in sorted(missing) if missing[name].get("status") == status]
        if names:
            shown = [f"{name} ({missing[name].get('reason') or 'no reason given'})" for name in names[:SHOWN]]
            more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
            raise raised(f"not audited, {status.replace('_', ' ')}: {', '.join([*shown, *more])}")
