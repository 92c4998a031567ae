# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows and writes what the audit found, on the controller. Documentation: plugins/modules/report.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils._report.baseline import Baseline, read_baseline
from ..plugin_utils._report.comparison import Comparison, FileError, check_promise, check_report, compare, judge
from ..plugin_utils._report.comparison_lines import comparison_lines
from ..plugin_utils._report.document import (
    DEFAULT_AUDIT,
    build_document,
    describe_policy,
    reached,
    write_atomically,
)
from ..plugin_utils._report.formats import FORMATS, JSON, Format
from ..plugin_utils._report.line import Line
from ..plugin_utils._report.terminal import render, usable_width
from ..plugin_utils._report.verification import verification_lines, verify
from ..plugin_utils._rules.assessment import is_current, kept_assessment, reported_assessment
from ..plugin_utils._rules.plain import plain_copy, raw_variables
from ..plugin_utils._rules.policy import load_policy
from ..plugin_utils._rules.waiver_file import WaiverError, load_waivers
from ..plugin_utils._rules.waivers import Waivers

FAIL_ON = ["none", "low", "medium", "high", "critical"]
ARGUMENTS = {
    "scope": {"type": "str", "choices": ["cluster", "host", "check"], "default": "cluster"},
    "report_dir": {"type": "str", "default": "netfit-report"},
    "fail_on": {"type": "str", "choices": FAIL_ON, "default": "none"},
    "formats": {"type": "list", "elements": "str", "choices": sorted(FORMATS), "default": [JSON.name]},
    "hosts": {"type": "list", "elements": "str"},
    "verify": {"type": "bool", "default": False},
    "before": {"type": "str"},
    "promised": {"type": "str"},
    "waivers": {"type": "raw"},
    "baseline": {"type": "str"},
    "audit_name": {"type": "str", "default": DEFAULT_AUDIT},
}
COLOURS = {
    "critical": "bright red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "cyan",
    "error": "bright purple",
    "healthy": "green",
}


class ActionModule(ActionBase):
    """The action behind netfit.cluster.report. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False
    _arguments: Mapping[str, Any] = ARGUMENTS

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Validate the options, then show and write the report, or end as this host's audit ended."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(dict(self._arguments))
        options = {**dict.fromkeys(ARGUMENTS), **given}
        variables: Mapping[str, Any] = task_vars or {}
        result["changed"] = False
        if options["scope"] == "host":
            end_as_audited(kept_assessment(variables))
            return result
        if not options["audit_name"].strip():
            raise AnsibleActionFail("audit_name: an audit has a name (netfit_audit_name), but it is empty")
        try:
            waivers, baseline = load_waivers(plain_copy(options["waivers"])), _baseline(options)
            if options["scope"] == "cluster":
                _check_use(options)
            before = check_report(_json(options, "before"), "before") if options["before"] else None
            if options["scope"] == "check":
                return result
            comparison = _comparison(options, before)
        except (FileError, WaiverError) as error:
            raise AnsibleActionFail(str(error)) from error
        document = {**self._document(variables, options, waivers, baseline), "audit": options["audit_name"]}
        path = Path(options["report_dir"]).expanduser().absolute() / JSON.file
        check_mode = bool(self._task.check_mode)
        result["report_dir"] = str(path.parent)
        files = {} if check_mode else _files(options["formats"], path.parent)
        self._write(document, before, files, result)
        self._show(document, list(files))
        if options["verify"]:
            self._verify(document, comparison(document), result)
        self._judge(document, options["fail_on"], path, check_mode, result)
        result["stats"] = describe_stats(document, options["fail_on"], result)
        return result

    def _document(
        self,
        variables: Mapping[str, Any],
        options: Mapping[str, Any],
        waivers: Waivers,
        baseline: Optional[Baseline],
    ) -> Dict[str, Any]:
        """Return the report of this play's hosts."""
        return _document(variables, options, waivers, baseline)

    def _write(
        self,
        document: Mapping[str, Any],
        before: Optional[Mapping[str, Any]],
        files: Mapping[Path, Format],
        result: Dict[str, Any],
    ) -> None:
        """Render and write one file after the other, so that one text at a time is held. files: none in check mode."""
        written = {kind.name: str(path) for path, kind in files.items()}
        result.update(summary=document["summary"], report=written.get(JSON.name), files=written)
        for path, kind in files.items():
            try:
                write_atomically(path, kind.render(document, before))
            except OSError as error:
                self._show(document, [])
                raise AnsibleActionFail(f"report_dir: {path} could not be written: {error}") from error

    def _show(self, document: Mapping[str, Any], written: List[Path]) -> None:
        display = Display()
        places = [f"Report: {path}" for path in written] or ["Report: nothing written (check mode)"]
        for line in render(document, display.columns, places):
            display.display(line.text, color=colour(line))

    def _verify(self, document: Mapping[str, Any], comparison: Optional[Comparison], result: Dict[str, Any]) -> None:
        verification, display = verify(document), Display()
        columns = usable_width(display.columns)
        lines, verdict = verification_lines(verification, columns), verification.verdict
        if comparison is not None:
            verdict = judge(verification, comparison)
            lines = [
                *comparison_lines(comparison, columns),
                *verification_lines(verification, columns, comparison.tolerated, verdict),
            ]
            result["comparison"] = comparison.as_result()
        for line in lines:
            display.display(line.text, color=colour(line))
        result["verification"] = {
            "paths": len(verification.checks),
            "failed": [f"{check.name}: {check.fault}" for check in verification.failures],
            "missing": list(verification.missing),
        }
        if verdict is not None:
            result.update(failed=True, msg=f"Not verified: {verdict}.")

    def _judge(
        self,
        document: Mapping[str, Any],
        fail_on: str,
        path: Path,
        check_mode: bool,
        result: Dict[str, Any],
    ) -> None:
        counts = reached(document, fail_on)
        if counts:
            found = ", ".join(f"{count} {severity}" for severity, count in counts.items())
            place = "" if check_mode else f" See {path}."
            new = " that the baseline does not have" if "baseline" in document else ""
            message = f"Findings at or above {fail_on}{new}: {found}.{place}"
            result.update(failed=True, msg=" ".join([*[result[name] for name in ("msg",) if name in result], message]))


def describe_stats(document: Mapping[str, Any], fail_on: str, result: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what a pipeline needs to know without reading the report: counts, verdict, where the files are."""
    summary = document["summary"]
    counts = reached(document, fail_on)
    return {
        "verdict": "failed" if result.get("failed") else "passed",
        "reached": counts,
        "hosts": dict(summary["hosts"]),
        "severity": dict(summary["severity"]),
        "status": dict(summary["status"]),
        "report_dir": result["report_dir"],
        "files": dict(result["files"]),
        "generated_at": document["generated_at"],
        "policy": document["policy"]["digest"],
    }


def colour(line: Line) -> Optional[str]:
    """Return Ansible's name of the line's colour; None for plain text."""
    return None if line.tone is None else COLOURS.get(line.tone)


def _document(
    variables: Mapping[str, Any], options: Mapping[str, Any], waivers: Waivers, baseline: Optional[Baseline]
) -> Dict[str, Any]:
    names = [str(name) for name in options["hosts"] or variables.get("ansible_play_hosts_all", [])]
    hostvars = variables["hostvars"]
    unknown = sorted(name for name in names if name not in hostvars)
    if unknown or not names:
        raise AnsibleActionFail(f"hosts: {', '.join(unknown)} not in the inventory" if unknown else "hosts: none given")
    assessments = {name: reported_assessment(raw_variables(hostvars, name)) for name in names}
    cluster = variables.get("ansible_facts", {}).get("netfit_cluster_assessment")
    known = isinstance(cluster, Mapping) and is_current(cluster, variables)
    found: Mapping[str, Any] = plain_copy(cluster) if known else {}
    policies = [assessment["policy"] for assessment in assessments.values() if assessment is not None]
    policy = policies[0] if policies else describe_policy(load_policy())
    return build_document(
        assessments,
        found.get("findings", ()),
        policy,
        explained=found.get("explained", ()),
        waivers=waivers,
        baseline=baseline,
    )


def _baseline(options: Mapping[str, Any]) -> Optional[Baseline]:
    """Read the baseline, before this run's report may take its place."""
    if not options["baseline"]:
        return None
    return read_baseline(_json(options, "baseline", "netfit_baseline"), options["baseline"])


def _files(formats: Sequence[str], directory: Path) -> Dict[Path, Format]:
    """Return each file that is asked for, the report itself first: the others are made from it."""
    wanted = [JSON.name, *(name for name in FORMATS if name in formats and name != JSON.name)]
    return {directory / FORMATS[name].file: FORMATS[name] for name in wanted}


def _check_use(options: Mapping[str, Any]) -> None:
    """Raise FileError for a file that nothing would be compared with."""
    compared = {"before"} if set(options["formats"]) - {JSON.name} else set()
    for name in ("before", "promised"):
        if options[name] and not options["verify"] and name not in compared:
            raise FileError(f"{name}: there is nothing to compare without verify: true")


def _comparison(
    options: Mapping[str, Any], before: Optional[Mapping[str, Any]]
) -> Callable[[Mapping[str, Any]], Optional[Comparison]]:
    """Read and check what was promised; return what compares a new report with that and with the one before."""
    promise = check_promise(_json(options, "promised"), "promised") if options["promised"] else None
    given = before is not None or promise is not None
    return lambda document: compare(before, document, promise) if given else None


def _json(options: Mapping[str, Any], option: str, called: Optional[str] = None) -> Any:
    """Read a JSON file. called: how the user calls the option."""
    path, name = Path(options[option]).expanduser().absolute(), called or option
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{name}: {path} could not be read: {error}") from error
    except json.JSONDecodeError as error:
        raise FileError(f"{name}: {path} is not valid JSON: {error}") from error


def end_as_audited(assessment: Optional[Mapping[str, Any]]) -> None:
    """Raise what stopped the audit of this host, so that Ansible counts it as unreachable or failed."""
    if assessment is None:
        raise AnsibleActionFail("this host has no assessment: run netfit.cluster.assess on it first")
    reason = str(assessment.get("reason"))
    if assessment["status"] == "unreachable":
        raise AnsibleConnectionFailure(reason)
    if assessment["status"] == "failed":
        raise AnsibleActionFail(reason)
