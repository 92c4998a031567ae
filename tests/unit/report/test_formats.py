# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every format holds what the report holds, in a form that other programs read, whatever the names in it are."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Callable, Dict, List, Set

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.modules import report as report_module
from ansible_collections.netfit.cluster.plugins.plugin_utils._report import prometheus
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import SCHEMA_FILE
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.http import describe_http, describe_idle
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.places import Place, places
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.safe_text import one_line, writable
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import RULES
from ansible_collections.netfit.cluster.tests.unit.report import made_reports, readers
from ansible_collections.netfit.cluster.tests.unit.report.pages import recorded

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "unit" / "data" / "formats"
RECORD = "NETFIT_RECORD_FORMATS"
READERS: Dict[str, Callable[[str], Any]] = {
    "html": readers.page,
    "json": json.loads,
    "json_lines": readers.json_lines,
    "junit": readers.junit,
    "markdown": readers.markdown,
    "prometheus": readers.prometheus,
    "sarif": readers.sarif,
}
MADE = {name: make() for name, make in made_reports.REPORTS.items()}


def rendered(name: str, report: Any, before: Any = None) -> Any:
    return READERS[name](FORMATS[name].render(report, before))


def test_every_format_has_a_reader_and_a_file_of_its_own() -> None:
    assert set(READERS) == set(FORMATS)
    assert len({one.file for one in FORMATS.values()}) == len(FORMATS)


def test_the_module_and_the_playbooks_know_every_format() -> None:
    documented = yaml.safe_load(report_module.DOCUMENTATION)["options"]["formats"]
    assert sorted(documented["choices"]) == sorted(FORMATS) and documented["default"] == ["json"]
    for choice, text in documented["choices"].items():
        assert f"C({FORMATS[choice].file})" in text
    tasks = yaml.safe_load((ROOT / "playbooks" / "tasks" / "check_input.yml").read_text(encoding="utf-8"))
    spec = next(one for one in tasks if one["name"] == "Check the variables")["ansible.builtin.validate_argument_spec"]
    assert sorted(spec["argument_spec"]["netfit_formats"]["choices"]) == sorted(FORMATS)
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    assert all(f"| `{one.name}` | `{one.file}` |" in page for one in FORMATS.values())
    assert all(f"| `{name}` |" in page for name in prometheus.METRICS)


@pytest.mark.parametrize("report", MADE)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "html"])
def test_text_is_the_recorded_one(name: str, report: str) -> None:
    """Record it anew with NETFIT_RECORD_FORMATS=1, and read the difference. test_page.py has the page's own."""
    file, text = GOLDEN / report / FORMATS[name].file, FORMATS[name].render(MADE[report], None)
    READERS[name](text)
    if os.environ.get(RECORD):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["incident", "black-holes"])
def test_the_made_reports_are_reports(name: str) -> None:
    jsonschema.validate(MADE[name], json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert MADE[name]["findings"]


def _outcomes(report: Any) -> Dict[str, List[str]]:
    return {
        f"{case.classname} {case.name}": [type(one).__name__ for one in case.result]
        for suite in rendered("junit", report)
        for case in suite
    }


def test_junit_has_a_case_per_rule_and_target() -> None:
    outcomes = _outcomes(MADE["incident"])
    assert outcomes[
        "netfit.n2 MTU-001 Pod or container MTU exceeds the overlay that its traffic crosses: "
        "n2, pod prod/gateway, link eth0"
    ] == ["Failure"]
    assert outcomes["netfit.n1 MTU-001 Pod or container MTU exceeds the overlay that its traffic crosses"] == []
    assert [name for name in outcomes if name.startswith("netfit.n9")] == [
        "netfit.n9 AUDIT-002 The host could not be audited"
    ]
    assert outcomes["netfit.n9 AUDIT-002 The host could not be audited"] == ["Error"]
    assert [kinds for name, kinds in outcomes.items() if name.startswith("netfit.n4 AUDIT-001")] == [["Error"]]
    suites = {suite.name: suite.tests for suite in rendered("junit", MADE["incident"])}
    unmeasured = [rule for rule in RULES if not rule.id.startswith(("PATH-", "MSS-", "HTTP-"))]
    together = {one["id"] for one in MADE["incident"]["findings"] if one["target"]["scope"] == "cluster"}
    assert together and suites["n1"] == len(unmeasured) - len(together)


def test_junit_passes_no_rule_on_a_host_that_may_have_the_fault_of_another() -> None:
    """A black hole from lb to n1 is told of lb."""
    told = {" ".join(name.split()[:2]): kinds for name, kinds in _outcomes(recorded("incident")).items()}
    assert told["netfit.lb PATH-001"] == told["netfit.lb MSS-001"] == ["Failure"]
    assert not {"netfit.n1 PATH-001", "netfit.n1 MSS-001"} & set(told)
    assert told["netfit.n1 PATH-004"] == []


def test_every_format_for_people_says_whose_waiver_is_over() -> None:
    report = deepcopy(MADE["incident"])
    waiver = {"by": "Jo", "justification": "replaced on Monday", "expires": "2026-01-01", "expired": True}
    report["findings"][0]["waiver"] = waiver
    for name in ("html", "junit", "markdown", "sarif"):
        text = FORMATS[name].render(report, None)
        assert "waived by Jo until 2026-01-01, which is over (replaced on Monday)" in text


def test_junit_passes_no_rule_about_paths_where_none_was_measured() -> None:
    assert not [name for name in _outcomes(MADE["incident"]) if "PATH-" in name]
    assert "netfit.n1 PATH-004 Path is unreachable or loses packets" in _outcomes(MADE["black-holes"])


def test_junit_passes_no_rule_about_requests_where_none_was_sent() -> None:
    sent = describe_http({"n1": {"http_requests": [{"service": "shop"}]}})
    kept = describe_idle({"n3": {"keepalive": [{"service": "shop"}]}})
    outcomes = _outcomes({**MADE["incident"], "http": sent, "keepalive": kept})
    assert [" ".join(name.split()[:2]) for name in outcomes if "HTTP-" in name] == [
        "netfit.n1 HTTP-001",
        "netfit.n1 HTTP-002",
        "netfit.n3 HTTP-003",
    ]
    assert not [name for name in _outcomes(MADE["incident"]) if "HTTP-" in name]


def test_junit_skips_what_is_waived_and_says_why() -> None:
    suites = {suite.name: suite for suite in rendered("junit", MADE["settled"])}
    skipped = [case.result[0] for case in suites["n2"] if case.is_skipped]
    assert [one.message for one in skipped] == [
        'waived by ops & <net> until 2026-03-01 (until the "new" overlay | is there)'
    ]


def test_sarif_names_the_file_and_line_and_the_link() -> None:
    run = rendered("sarif", MADE["incident"])
    result = next(one for one in run["results"] if one["ruleId"] == "MTU-001")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "MTU-001"
    assert (result["level"], result["kind"]) == ("error", "fail")
    location = result["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == {
        "uri": "n2/etc/cni/net.d/10-canal.conflist",
        "uriBaseId": "HOSTS",
    }
    assert location["physicalLocation"]["region"] == {"startLine": 7}
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "n2 / pod prod/gateway / eth0"
    assert result["partialFingerprints"] == {"netfit/v1": MADE["incident"]["findings"][0]["fingerprint"]}
    related = [one["physicalLocation"]["artifactLocation"]["uri"] for one in result["relatedLocations"]]
    assert related == ["n2/run/flannel/subnet.env"]


def test_sarif_tells_what_is_unknown_waived_and_missing() -> None:
    run = rendered("sarif", MADE["settled"])
    kinds = {one["properties"]["status"]: (one["kind"], one["level"]) for one in run["results"]}
    assert (kinds["error"], kinds["fixed"]) == (("open", "none"), ("pass", "none"))
    suppressed = [one["suppressions"] for one in run["results"] if "suppressions" in one]
    assert len(suppressed) == 1 and suppressed[0][0]["justification"] == 'until the "new" overlay | is there'
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert [one["message"]["text"].split()[0] for one in invocation["toolExecutionNotifications"]] == ["n8", "n9"]


def test_sarif_and_markdown_compare_with_the_report_before() -> None:
    now, before = deepcopy(MADE["incident"]), MADE["incident"]
    gone = now["findings"].pop(0)
    results = rendered("sarif", now, before)["results"]
    states = {one["partialFingerprints"]["netfit/v1"]: one["baselineState"] for one in results}
    assert states.pop(gone["fingerprint"]) == "absent" and set(states.values()) == {"unchanged"}
    assert "new" in {one["baselineState"] for one in rendered("sarif", before, now)["results"]}
    assert "0 new, 1 gone," in FORMATS["markdown"].render(now, before)
    assert "1 new, 0 gone," in FORMATS["markdown"].render(before, now)
    accepted = MADE["settled"]["findings"][:1] + before["findings"][1:]
    assert "0 new, 0 gone," in FORMATS["markdown"].render({**before, "findings": accepted}, before)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/etc/sysctl.d/99 a.conf:3", [Place("/etc/sysctl.d/99 a.conf", 3)]),
        ("/run/flannel/subnet.env:3 FLANNEL_MTU", [Place("/run/flannel/subnet.env", 3)]),
        ("/etc/docker/daemon.json mtu", [Place("/etc/docker/daemon.json", None)]),
        ("/proc/sys/net/core/somaxconn", []),
        ("/system/x", [Place("/system/x", None)]),
        ("/sys/class/net/eth0/mtu", []),
        ("netlink", []),
        (None, []),
    ],
)
def test_files_of_evidence(source: Any, expected: List[Place]) -> None:
    finding = {"target": {"path": None}, "evidence": [{"what": "x", "source": source}], "remedy": None}
    assert places(finding) == expected


def test_prometheus_counts_what_the_summary_counts() -> None:
    report = MADE["black-holes"]
    metrics = rendered("prometheus", report)
    assert set(metrics) == set(prometheus.METRICS)
    audit = ("audit", "netfit")
    assert metrics["netfit_report_timestamp_seconds"][audit,] == made_reports.NOW.timestamp()
    assert metrics["netfit_hosts"][audit, ("status", "audited")] == 5
    for severity, count in report["summary"]["severity"].items():
        assert metrics["netfit_findings"][audit, ("severity", severity), ("status", "fail")] == count
    assert metrics["netfit_paths"][audit, ("class", "host-host"), ("verdict", "black hole")] == 3
    assert metrics["netfit_path_mtu_bytes"][audit, ("bound", "min"), ("class", "host-host")] == 1400
    assert metrics["netfit_path_mtu_bytes"][audit, ("bound", "max"), ("class", "host-host")] == 1500
    assert metrics["netfit_finding"][audit, ("host", "n3"), ("rule", "PATH-001"), ("severity", "critical")] == 1


@pytest.mark.parametrize("name", ["netfit", 'net "fit"\\berlin'])
def test_every_series_of_prometheus_names_the_audit(name: str) -> None:
    metrics = rendered("prometheus", {**MADE["black-holes"], "audit": name})
    assert {dict(labels)["audit"] for samples in metrics.values() for labels in samples} == {name}
    one, other = (rendered("prometheus", {**MADE["black-holes"], "audit": audit}) for audit in ("netfit-a", "netfit-b"))
    assert not {(name, labels) for name in one for labels in one[name]} & {
        (name, labels) for name in other for labels in other[name]
    }, "two files in one directory share no series"


def test_a_report_that_has_no_name_of_its_audit_is_of_netfit() -> None:
    assert "audit" not in MADE["settled"]
    assert dict(next(iter(rendered("prometheus", MADE["settled"])["netfit_hosts_healthy"])))["audit"] == "netfit"


def test_prometheus_has_few_series_however_many_hosts_there_are() -> None:
    report = deepcopy(MADE["incident"])
    pattern = report["findings"][0]
    report["findings"] = [
        {**pattern, "target": {**pattern["target"], "host": f"h{n}"}, "severity": "low" if n < 3000 else "high"}
        for n in range(3500)
    ]
    metrics = rendered("prometheus", report)
    assert sum(len(samples) for samples in metrics.values()) < prometheus.MOST_FINDING_SERIES + 100
    assert {dict(labels)["severity"] for labels in metrics["netfit_finding"]} == {"high"}
    assert metrics["netfit_finding_series_left_out"][("audit", "netfit"),] == 3000


def test_json_lines_hold_every_finding_and_path_as_it_is() -> None:
    report = MADE["black-holes"]
    lines = rendered("json_lines", report)
    common = {"generated_at": report["generated_at"]}
    assert [line for line in lines if line["record"] == "finding"] == [
        {**one, "record": "finding", **common} for one in report["findings"]
    ]
    assert [line for line in lines if line["record"] == "path"] == [
        {**one, "record": "path", **common} for one in report["paths"]
    ]
    assert lines[0]["summary"] == report["summary"] and [line["record"] for line in lines].count("host") == 5


def test_markdown_tells_the_worst_first_and_how_to_heal_it() -> None:
    text = FORMATS["markdown"].render(MADE["incident"], None)
    assert text.splitlines()[2] == (
        "**Found: 1 critical, 5 info; 2 hosts could not be audited; 1 check could not be made. Worst: MTU-001 Pod or "
        "container MTU exceeds the overlay that its traffic crosses (n2, pod prod/gateway, link eth0).**"
    )
    blocks = [token.content for token in readers.markdown(text) if token.type == "fence"]
    assert "ip link set dev cali7 mtu 1450\n" in blocks[0]
    assert blocks[1] == "ansible-playbook netfit.cluster.remediate --tags link_mtu\n"


def test_markdown_names_the_paths_that_fail_first() -> None:
    rows = readers.tables(rendered("markdown", MADE["black-holes"]))[1]
    assert len(rows) == len(MADE["black-holes"]["paths"])
    failed = [row[-1] != "ok" for row in rows]
    assert any(failed) and failed == sorted(failed, reverse=True)


AWKWARD = st.text(
    st.one_of(
        st.sampled_from(
            "\0\x01\x1b\x7f\x85\r\n\t \"'<>&|`*_[]()#+-.=!~\\$@:;/{}%0aé¹\u2028\u2029\ufdd0\ufffe\ufeff\ud800\U0010ffff"
        ),
        st.characters(),
        st.characters(categories=["Cs", "Cc"]),
    ),
    min_size=1,
    max_size=12,
)


def _with(report: Dict[str, Any], texts: List[str]) -> Dict[str, Any]:
    """Return the report with these texts wherever a host, a container or a kernel names something."""
    made = deepcopy(report)
    name, observed, title, source, file, reason = texts
    finding = made["findings"][0]
    finding.update(observed=observed, expected=observed, title=title, references=[title, "https://x/" + title])
    finding["target"].update(host=name, link=source, listener=title, path=f"/etc/{file}")
    finding["target"]["owner"] = {"kind": "pod", "name": name, "pod": name, "pod_namespace": source}
    finding["evidence"] = [
        {"what": observed, "value": title, "source": source},
        {"what": title, "source": f"/{file}:3"},
    ]
    finding["remedy"]["variables"] = {"links": [{"link": source, "mtu": 1, "namespace": file}], "files": [f"/a{file}"]}
    finding["waiver"] = {"by": name, "justification": reason, "expires": title, "expired": True}
    made["hosts"][name] = {**made["hosts"]["n1"], "status": "failed", "reason": reason}
    for entry in made["paths"]:
        entry["peer"].update(name=name, host=name)
        entry.update(network=source, **{"class": title})
    return made


@pytest.mark.parametrize("status", ["fail", "waived", "error", "fixed"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(AWKWARD, min_size=6, max_size=6))
def test_no_name_breaks_a_format(status: str, texts: List[str]) -> None:
    report = _with({**MADE["incident"], "paths": MADE["black-holes"]["paths"]}, texts)
    report["findings"][0]["status"] = status
    read = {name: rendered(name, report, MADE["incident"]) for name in FORMATS}

    told: Set[str] = {case.name for suite in read["junit"] for case in suite}
    finding = report["findings"][0]
    assert any(one.startswith(one_line(f"{finding['id']} {finding['title']}: ")) for one in told)
    result = next(one for one in read["sarif"]["results"] if one["properties"]["status"] == status)
    assert one_line(finding["observed"]) in result["message"]["text"]
    assert all(one["locations"][0]["logicalLocations"][0]["name"] for one in read["sarif"]["results"])
    findings, paths = readers.tables(read["markdown"])[:2]
    assert len(findings) == len(report["findings"]) and len(paths) == len(report["paths"])
    assert findings[0][3] == one_line(finding["observed"])
    hosts = {dict(labels)["host"] for labels in read["prometheus"]["netfit_finding"]}
    assert status != "fail" or one_line(finding["target"]["host"]) in hosts


@given(AWKWARD)
def test_writable_text_stays_as_it_is(text: str) -> None:
    once = writable(text)
    assert writable(once) == once
    assert once.encode("utf-8").decode("utf-8") == once
