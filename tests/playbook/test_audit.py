# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit playbook with real ansible-playbook, on recorded facts of the incident."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List

import jsonschema
import pytest

from ansible_collections.netfit.cluster.tests.unit.builders import incident

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "plugins/plugin_utils/_report/report.schema.json").read_text(encoding="utf-8"))

Audit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def audit(play: Callable[..., subprocess.CompletedProcess[str]]) -> Audit:
    """Run the audit in a directory of its own; hosts maps names to facts, or to None for one that gives none."""
    return partial(play, "audit")


def _report(directory: Path) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads((directory / "netfit-report/report.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    return document


def test_names_the_pod_of_the_incident(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CRITICAL  MTU-001" in done.stdout
    assert "n2, pod prod/gateway, link eth0" in done.stdout
    assert "Nothing found on n1, n3, n4" in done.stdout
    assert "WARNING" not in done.stderr
    found = [one for one in _report(tmp_path)["findings"] if one["severity"] != "info"]
    assert [(one["id"], one["target"]["host"], one["target"]["owner"]["name"]) for one in found] == [
        ("MTU-001", "n2", "prod/gateway")
    ]


def test_asks_for_the_keys_of_the_policy(audit: Audit, tmp_path: Path) -> None:
    own = {"sysctls": {"net.ipv4.tcp_fastopen": {"minimum": 1, "reason": "ours", "applies_to": "host"}}}
    (tmp_path / "own.yml").write_text(json.dumps(own), encoding="utf-8")
    done = audit({"n1": incident()["n1"]}, "-e", "netfit_policy=own.yml", "-e", "netfit_sample_interval=0.5")
    assert done.returncode == 0, done.stdout
    asked = json.loads((tmp_path / "asked-n1.json").read_text(encoding="utf-8"))
    assert "net.ipv4.tcp_fastopen" in asked["sysctl_keys"] and "net.core.somaxconn" in asked["sysctl_keys"]
    assert float(asked["sample_interval"]) == 0.5
    assert _report(tmp_path)["policy"] == {**_report(tmp_path)["policy"], "overrides": own}


def test_fails_after_the_report_is_written(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident(), "-e", "netfit_fail_on=high")
    assert done.returncode == 2
    assert "Findings at or above high: 1 critical" in done.stdout
    assert _report(tmp_path)["summary"]["severity"]["critical"] == 1


def test_a_page_is_written_beside_the_report_unless_other_formats_are_asked_for(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident())
    assert done.returncode == 0, done.stdout
    assert {path.name for path in (tmp_path / "netfit-report").iterdir()} == {"report.html", "report.json"}
    assert "MTU-001" in (tmp_path / "netfit-report" / "report.html").read_text(encoding="utf-8")


def test_formats_are_written_beside_the_report(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident(), "-e", "netfit_formats=junit,sarif")
    assert done.returncode == 0, done.stdout
    written = {path.name for path in (tmp_path / "netfit-report").iterdir()}
    assert written == {"report.json", "report.junit.xml", "report.sarif"}


def test_healed_incident_passes_the_strictest_gate(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident(pod_mtu=1450), "-e", "netfit_fail_on=low")
    assert done.returncode == 0, done.stdout
    assert _report(tmp_path)["summary"]["hosts"]["healthy"] == 4


@pytest.mark.parametrize("hosts", [{"n1", "n2"}, set()], ids=["one-down", "all-down"])
def test_unreachable_hosts_are_named_and_the_status_is_4(audit: Audit, tmp_path: Path, hosts: Any) -> None:
    facts = incident()
    done = audit({name: facts[name] if name in hosts else None for name in ("n1", "n2", "n3")})
    assert done.returncode == 4, done.stdout
    for name in {"n1", "n2", "n3"} - set(hosts):
        assert f"Not audited: {name} (unreachable: no answer from {name})" in done.stdout
    assert "Could not be checked" not in done.stdout
    report = _report(tmp_path)
    assert report["hosts"]["n3"]["status"] == "unreachable"
    assert "no answer from n3" in report["hosts"]["n3"]["reason"]
    assert [one["status"] for one in report["findings"] if one["target"]["host"] == "n3"] == ["error"]
    assert report["summary"]["hosts"]["audited"] == len(hosts)


def test_a_failing_host_does_not_hide_the_others(audit: Audit, tmp_path: Path) -> None:
    done = audit({"n2": incident()["n2"], "failing": None})
    assert done.returncode == 2, done.stdout
    assert "CRITICAL  MTU-001" in done.stdout and "Not audited: failing (failed: " in done.stdout
    assert _report(tmp_path)["hosts"]["failing"]["status"] == "failed"


def test_limit_and_pattern_choose_the_hosts(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident(), "--limit", "n2,n3", "-e", "netfit_hosts=n1:n2")
    assert done.returncode == 0, done.stdout
    assert list(_report(tmp_path)["hosts"]) == ["n2"]
    assert not (tmp_path / "asked-n3.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["-e", "netfit_formats=sarif,pdf"],
            ["netfit_formats", "html, json, json_lines, junit, markdown, prometheus, sarif", "pdf"],
        ),
        (["-e", "netfit_fail_on=hihg"], ["netfit_fail_on", "none, low, medium, high, critical", "hihg"]),
        (["-e", "netfit_hosts=webb"], ["netfit_hosts", "webb"]),
        (["-e", '{"netfit_policy": {"sysctls": {"net.core.somaxcon": {"minimum": 1}}}}'], ["net.core.somaxconn?"]),
        (["-e", "netfit_policy=missing.yml"], ["netfit_policy", "missing.yml", "No such file"]),
        (["-e", "netfit_waivers=missing.yml"], ["netfit_waivers", "missing.yml", "No such file"]),
        (
            ["-e", '{"netfit_waivers": [{"rule": "MTU-01", "target": {"host": "*"}, "justification": "x"}]}'],
            ["netfit_waivers: waiver 1: rule is 'MTU-01'", "did you mean MTU-0"],
        ),
        (["-e", "netfit_baseline=missing.json"], ["netfit_baseline", "missing.json", "No such file"]),
        (["-e", "netfit_baseline=hosts.yml"], ["netfit_baseline: not a report"]),
        (["-e", "netfit_sample_interval=soon"], ["netfit_sample_interval", "soon"]),
        (["-e", "netfit_sample_interval=-1"], ["netfit_sample_interval", "-1", "from 0 to 60"]),
        (["-e", "netfit_sample_interval=61"], ["netfit_sample_interval", "61", "from 0 to 60"]),
    ],
)
def test_bad_input_is_refused_before_any_host_is_touched(
    audit: Audit,
    tmp_path: Path,
    arguments: List[str],
    words: List[str],
) -> None:
    done = audit(incident(), *arguments)
    assert done.returncode == 2
    assert all(word in done.stdout for word in words), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.glob("asked-*")) and not (tmp_path / "netfit-report").exists()


def test_an_empty_inventory_is_no_success(audit: Audit, tmp_path: Path) -> None:
    done = audit({})
    assert done.returncode == 2, done.stdout
    assert "no host of the inventory" in done.stdout and "-i localhost, -c local" in done.stdout


def test_check_mode_shows_and_writes_nothing(audit: Audit, tmp_path: Path) -> None:
    done = audit(incident(), "--check")
    assert done.returncode == 0, done.stdout
    assert "CRITICAL  MTU-001" in done.stdout and "nothing written (check mode)" in done.stdout
    assert not (tmp_path / "netfit-report").exists()


def test_report_is_the_same_but_for_its_time(audit: Audit, tmp_path: Path) -> None:
    reports = []
    for _round in range(2):
        assert audit(incident()).returncode == 0
        reports.append({**_report(tmp_path), "generated_at": None})
    assert reports[0] == reports[1]


WAIVERS = """\
- rule: MTU-001
  target: {host: n2, owner: prod/gate*}
  justification: the pod is replaced on Monday
  by: Jo
  expires: %s
- rule: QUEUE-*
  target: {host: n9}
  justification: a host that is gone
"""


def test_what_is_accepted_stops_no_pipeline_until_it_expires(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "waivers.yml").write_text(WAIVERS % "2999-12-31", encoding="utf-8")
    done = audit(incident(), "-e", "netfit_waivers=waivers.yml", "-e", "netfit_fail_on=low")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Findings: 4 info and 1 waived." in done.stdout
    assert "waived by Jo until 2999-12-31" in " ".join(done.stdout.split())
    assert "QUEUE-* for host n9: no host of this run has such a name" in done.stdout
    [waived] = [one for one in _report(tmp_path)["findings"] if one["status"] == "waived"]
    assert (waived["id"], waived["severity"]) == ("MTU-001", "critical")

    (tmp_path / "waivers.yml").write_text(WAIVERS % "2020-12-31", encoding="utf-8")
    done = audit(incident(), "-e", "netfit_waivers=waivers.yml", "-e", "netfit_fail_on=low")
    assert done.returncode == 2
    assert "waived by Jo until 2020-12-31, which is over" in " ".join(done.stdout.split())


def test_waivers_may_be_variables(audit: Audit, tmp_path: Path) -> None:
    indented = (WAIVERS % "2999-12-31").replace("\n", "\n  ")
    (tmp_path / "own.yml").write_text(f"netfit_waivers:\n  {indented}", encoding="utf-8")
    done = audit(incident(), "-e", "@own.yml", "-e", "netfit_fail_on=low")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["expires"] for one in _report(tmp_path)["waivers"]["entries"]] == ["2999-12-31", None]


def test_only_what_the_baseline_lacks_stops_a_pipeline(audit: Audit, tmp_path: Path) -> None:
    assert audit(incident(pod_mtu=1450)).returncode == 0
    (tmp_path / "netfit-report/report.json").rename(tmp_path / "healthy.json")
    done = audit(incident(), "-e", "netfit_baseline=healthy.json", "-e", "netfit_fail_on=high")
    assert done.returncode == 2
    assert "Findings at or above high that the baseline does not have: 1 critical" in done.stdout
    (tmp_path / "netfit-report/report.json").rename(tmp_path / "known.json")
    done = audit(incident(), "-e", "netfit_baseline=known.json", "-e", "netfit_fail_on=high")
    assert done.returncode == 0, done.stdout
    assert "0 of these are new, 5 were there before." in done.stdout
    assert {one["baseline"] for one in _report(tmp_path)["findings"]} == {"known"}
