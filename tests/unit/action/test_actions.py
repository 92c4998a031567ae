# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions in process: options, results, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.netfit.cluster.plugins.action import assess, report
from ansible_collections.netfit.cluster.tests.unit import builders as b

FACTS = b.incident()


def run(module: Any, arguments: Dict[str, Any], variables: Dict[str, Any], check_mode: bool = False) -> Dict[str, Any]:
    task = MagicMock(args=arguments, check_mode=check_mode, diff=False, async_val=0)
    action = module.ActionModule(
        task=task,
        connection=MagicMock(),
        play_context=MagicMock(),
        loader=MagicMock(),
        templar=MagicMock(),
        shared_loader_obj=MagicMock(),
    )
    result: Dict[str, Any] = action.run(task_vars=variables)
    return result


def of_host(name: str, facts: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    return {"inventory_hostname": name, "ansible_facts": FACTS[name] if facts is None else facts}


def of_play(facts: Dict[str, Dict[str, Any]]) -> Dict[str, Any]:
    hostvars = {name: {"ansible_facts": facts[name]} for name in facts}
    return {"ansible_play_hosts_all": list(facts), "hostvars": hostvars, "ansible_facts": {}}


def assessed(*names: str) -> Dict[str, Dict[str, Any]]:
    return {name: run(assess, {}, of_host(name))["ansible_facts"] for name in names}


def test_assess_leaves_findings_for_the_report() -> None:
    result = run(assess, {}, of_host("n2"))
    assert [one["id"] for one in result["findings"]] == ["MTU-001", "QUEUE-001"]
    assert result["summary"]["severity"]["critical"] == 1 and result["changed"] is False
    kept = result["ansible_facts"]["netfit_assessment"]
    assert (kept["status"], kept["kernel"], kept["namespaces"]) == ("audited", b.KERNEL, 2)
    assert kept["findings"] == result["findings"]


def test_assess_without_facts_says_what_to_run() -> None:
    with pytest.raises(AnsibleActionFail, match=r"no netfit facts of n1: run netfit\.cluster\.network_facts"):
        run(assess, {}, of_host("n1", {"distribution": "Debian"}))


@pytest.mark.parametrize(
    ("gathered", "status"),
    [
        ({"unreachable": True, "msg": "Task failed: timed out"}, "unreachable"),
        ({"failed": True, "msg": "no root"}, "failed"),
    ],
)
def test_assess_keeps_why_a_host_is_missing(gathered: Dict[str, Any], status: str) -> None:
    result = run(assess, {"gathered": gathered}, of_host("n1", {}))
    assert result["ansible_facts"]["netfit_assessment"]["status"] == status
    assert [(one["id"], one["status"], one["observed"]) for one in result["findings"]] == [
        ("AUDIT-002", "error", gathered["msg"].replace("Task failed: ", ""))
    ]


def test_what_the_host_itself_said_is_part_of_the_reason() -> None:
    gathered = {"failed": True, "msg": "no JSON", "module_stderr": "python3.13: command not found\nand more"}
    finding = run(assess, {"gathered": gathered}, of_host("n1", {}))["findings"][0]
    assert finding["observed"] == "no JSON (python3.13: command not found)"


def test_assess_cluster_sees_all_hosts() -> None:
    result = run(assess, {"scope": "cluster"}, of_play(FACTS))
    assert [(one["id"], one["target"]["host"]) for one in result["findings"]] == [("MTU-001", "n2")]
    assert result["ansible_facts"] == {"netfit_cluster_assessment": {"findings": result["findings"], "explained": []}}
    assert run(assess, {"scope": "cluster", "hosts": ["n3", "n4"]}, of_play(FACTS))["findings"] == []


def test_assess_policy_names_the_keys() -> None:
    result = run(assess, {"scope": "policy"}, {})
    assert {"net.core.somaxconn", "net.ipv4.tcp_syncookies"} <= set(result["sysctl_keys"])
    assert "findings" not in result and "ansible_facts" not in result


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (assess, {"policy": {"rules": {"MTU-0011": {}}}}, "rules.MTU-0011 is no rule; did you mean MTU-001"),
        (assess, {"policy": "/nowhere.yml"}, "/nowhere.yml could not be read"),
        (assess, {"policy": 5}, "neither a mapping nor the path"),
        (assess, {"scope": "galaxy"}, "scope must be one of: host, cluster, policy, got: galaxy"),
        (assess, {"polcy": {}}, "polcy"),
        (assess, {"scope": "cluster", "hosts": ["nx"]}, "hosts: nx not in the inventory"),
        (report, {"fail_on": "hihg"}, "fail_on must be one of: none, low, medium, high, critical, got: hihg"),
        (report, {"hosts": ["nx"]}, "hosts: nx not in the inventory"),
        (
            report,
            {"formats": ["sarif", "pdf"]},
            "formats must be one or more of: html, json, json_lines, junit, markdown,",
        ),
        (report, {"before": "b.json"}, "before: there is nothing to compare without verify: true"),
        (report, {"before": "/nowhere.json", "formats": ["sarif"]}, "before: /nowhere.json could not be read"),
        (report, {"promised": "p.json", "formats": ["sarif"]}, "promised: there is nothing to compare without verify"),
    ],
)
def test_bad_options_are_refused(module: Any, arguments: Dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleActionFail) as refused:
        run(module, arguments, {**of_play(FACTS), **of_host("n1")})
    assert words in str(refused.value)


def test_report_writes_and_then_fails(tmp_path: Path) -> None:
    result = run(report, {"report_dir": str(tmp_path), "fail_on": "high"}, of_play(assessed("n1", "n2")))
    assert result["failed"] is True
    assert result["msg"] == f"Findings at or above high: 1 critical. See {tmp_path}/report.json."
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["summary"] == result["summary"]


def test_report_has_the_name_of_its_audit(tmp_path: Path) -> None:
    given = {"report_dir": str(tmp_path), "formats": ["prometheus"], "audit_name": "netfit-berlin"}
    run(report, given, of_play(assessed("n1")))
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["audit"] == "netfit-berlin"
    assert 'netfit_hosts_healthy{audit="netfit-berlin"} ' in (tmp_path / "report.prom").read_text(encoding="utf-8")


@pytest.mark.parametrize("scope", ["cluster", "check"])
def test_report_needs_a_name_of_its_audit(scope: str, tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="audit_name: an audit has a name"):
        run(report, {"report_dir": str(tmp_path), "scope": scope, "audit_name": " "}, of_play(assessed("n1")))


def test_report_in_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = run(report, {"report_dir": str(tmp_path / "x")}, of_play(assessed("n1")), check_mode=True)
    assert result["report"] is None and not (tmp_path / "x").exists()


def test_report_is_written_in_every_format_that_is_asked_for(tmp_path: Path) -> None:
    play = of_play(assessed("n1", "n2"))
    result = run(report, {"report_dir": str(tmp_path), "formats": ["sarif", "prometheus"]}, play)
    assert result["files"] == {
        "json": f"{tmp_path}/report.json",
        "prometheus": f"{tmp_path}/report.prom",
        "sarif": f"{tmp_path}/report.sarif",
    }
    assert sorted(str(one) for one in tmp_path.iterdir()) == sorted(result["files"].values())
    assert result["report"] == result["files"]["json"]
    assert 'netfit_hosts_healthy{audit="netfit"} ' in (tmp_path / "report.prom").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["audit"] == "netfit"

    before = {"before": result["report"], "formats": ["markdown"], "report_dir": str(tmp_path / "again")}
    after = run(report, before, play)
    assert f": 0 new, 0 gone, {sum(after['summary']['rules'].values())} left." in Path(
        after["files"]["markdown"]
    ).read_text(encoding="utf-8")


def test_a_report_before_that_is_damaged_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "before.json").write_text(json.dumps({"paths": [], "findings": [{"id": "MTU-001"}]}), encoding="utf-8")
    options = {"report_dir": str(tmp_path / "x"), "formats": ["sarif"], "before": str(tmp_path / "before.json")}
    with pytest.raises(AnsibleActionFail, match=r"before: not a report: findings\[0\] has no title"):
        run(report, options, of_play(assessed("n1")))
    assert not (tmp_path / "x").exists()


def test_formats_in_check_mode_are_not_written(tmp_path: Path) -> None:
    options = {"report_dir": str(tmp_path / "x"), "formats": ["junit", "markdown"]}
    result = run(report, options, of_play(assessed("n1")), check_mode=True)
    assert result["files"] == {} and not (tmp_path / "x").exists()


def test_report_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match=r"report_dir: .*file/report\.json could not be written"):
        run(report, {"report_dir": str(tmp_path / "file")}, of_play(assessed("n1")))


def test_report_ends_each_host_as_its_audit_ended() -> None:
    def ended(assessment: Any) -> Any:
        return run(report, {"scope": "host"}, {"ansible_facts": {"netfit_assessment": assessment}})

    assert ended({"status": "audited", "reason": None})["changed"] is False
    with pytest.raises(AnsibleConnectionFailure, match="timed out"):
        ended({"status": "unreachable", "reason": "timed out"})
    with pytest.raises(AnsibleActionFail, match="no root"):
        ended({"status": "failed", "reason": "no root"})
    with pytest.raises(AnsibleActionFail, match="no assessment"):
        ended(None)


MESH = {
    "n1": [b.path("n2"), b.path("n3", None, b.black(1400))],
    "n2": [b.path("n3", None, b.black(1400))],
    "n3": [],
}


def measured(paths: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Return the facts of all hosts after each of them was assessed with its paths."""
    facts = {name: FACTS[name] for name in paths}
    return {
        name: {**facts[name], **run(assess, {"paths": paths[name]}, of_host(name))["ansible_facts"]} for name in paths
    }


def test_assess_keeps_the_paths_and_the_cluster_finds_their_cause(tmp_path: Path) -> None:
    kept = measured(MESH)
    assert [one["id"] for one in kept["n1"]["netfit_assessment"]["findings"]][:1] == ["PATH-001"]
    assert len(kept["n1"]["netfit_assessment"]["paths"]) == 2
    play = of_play(kept)
    result = run(assess, {"scope": "cluster"}, play)
    holes = [one for one in result["findings"] if one["id"] == "PATH-001"]
    assert [(one["target"]["host"], one["target"]["peer"]) for one in holes] == [("n3", None)]
    assert len(result["ansible_facts"]["netfit_cluster_assessment"]["explained"]) == 2
    play["ansible_facts"] = result["ansible_facts"]
    run(report, {"report_dir": str(tmp_path)}, play)
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert len(written["paths"]) == 3
    assert [one["target"]["host"] for one in written["findings"] if one["id"] == "PATH-001"] == ["n3"]


def test_measured_paths_suffice_without_facts() -> None:
    result = run(assess, {"tcp_paths": [b.tcp_path("n2", 1450, b.Verdict.BLACK_HOLE)]}, of_host("client", {}))
    assert result["ansible_facts"]["netfit_assessment"]["status"] == "audited"
    assert {one["id"] for one in result["findings"]} == {"PATH-001", "MSS-001", "AUDIT-001"}


def test_verify_passes_and_fails_by_what_was_measured(tmp_path: Path) -> None:
    options = {"report_dir": str(tmp_path), "verify": True}
    good = run(report, options, of_play(measured({"n1": [b.path("n2")], "n2": []})))
    assert "failed" not in good and good["verification"] == {"paths": 1, "failed": [], "missing": []}
    bad = run(report, {**options, "fail_on": "critical"}, of_play(measured(MESH)))
    assert bad["failed"] is True
    assert bad["msg"].startswith(
        "Not verified: 2 of 3 paths do not carry what is expected. Findings at or above critical:"
    )
    assert bad["verification"]["failed"] == [
        "n1 to n3: back: black hole, more than 1400 vanishes",
        "n2 to n3: back: black hole, more than 1400 vanishes",
    ]
    nothing = run(report, options, of_play(measured({"n1": [], "n2": []})))
    assert (nothing["failed"], nothing["msg"]) == (True, "Not verified: nothing was measured.")
