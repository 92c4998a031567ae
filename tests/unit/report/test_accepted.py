# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waivers and a baseline make of a report: its document, the gate, the terminal."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any, Dict, List

import jsonschema
import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Severity
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.baseline import Age, read_baseline
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.comparison import (
    FINDING,
    FileError,
    State,
    compare,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import (
    SCHEMA_FILE,
    build_document,
    describe_policy,
    reached,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.waiver_file import load_waivers
from ansible_collections.netfit.cluster.tests.unit import builders as b

SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
GATEWAY = {"rule": "MTU-001", "target": {"owner": "prod/gateway"}, "justification": "replaced on Monday", "by": "Jo"}


def document(pod_mtu: int = 1500, waivers: Any = None, baseline: Any = None, policy: Any = None) -> Dict[str, Any]:
    facts, rules = b.incident(pod_mtu), load_policy(policy)
    assessments = {
        name: {
            "status": "audited",
            "kernel": b.KERNEL,
            "namespaces": 2,
            "findings": [one.as_fact() for one in assess_host(name, facts[name], rules)],
        }
        for name in facts
    }
    known = None if baseline is None else read_baseline(baseline, "/old/report.json")
    built = build_document(assessments, (), describe_policy(rules), NOW, waivers=load_waivers(waivers), baseline=known)
    jsonschema.validate(built, SCHEMA)
    return built


def text(shown: Dict[str, Any]) -> List[str]:
    return [line.text for line in render(shown, 100)]


def test_without_either_nothing_is_said_of_them() -> None:
    plain = document()
    assert not {"waivers", "baseline"} & set(plain)
    assert not [one for one in plain["findings"] if {"waiver", "baseline"} & set(one)]


def test_a_waived_finding_counts_as_waived_everywhere() -> None:
    shown = document(waivers=[GATEWAY])
    assert shown["summary"]["severity"]["critical"] == 0 and reached(shown, "low") == {}
    assert shown["summary"]["status"] == {"fail": 4, "error": 0, "waived": 1, "fixed": 0}
    assert (shown["hosts"]["n2"]["severity"]["critical"], shown["hosts"]["n2"]["waived"]) == (0, 1)
    assert [one["status"] for one in shown["findings"]] == [*["fail"] * 4, "waived"]
    lines = text(shown)
    assert lines[1] == "netfit: 4 hosts audited. Findings: 4 info and 1 waived."
    assert lines[3] == "Waived:"
    assert " ".join(" ".join(lines[4:7]).split()) == (
        "MTU-001 on n2: pod prod/gateway, link eth0: MTU 1500, expected at most 1450 (flannel.1 on n2); "
        "waived by Jo (replaced on Monday)"
    )
    assert lines[-1] == "Nothing found on n1, n3, n4"


def test_an_expired_waiver_stops_the_pipeline_and_is_told() -> None:
    shown = document(waivers=[{**GATEWAY, "expires": "2026-01-01"}])
    assert reached(shown, "high") == {"critical": 1} and shown["summary"]["status"]["waived"] == 0
    assert "  waiver      waived by Jo until 2026-01-01, which is over (replaced on Monday)" in text(shown)
    assert reached(document(waivers=[{**GATEWAY, "expires": "2026-01-02"}]), "high") == {}


def test_a_waiver_that_applies_to_nothing_is_told() -> None:
    lines = text(document(waivers=[{**GATEWAY, "target": {"host": "n7", "link": "eth*"}}]))
    at = lines.index("Waivers that apply to nothing:")
    assert lines[at + 1] == "  MTU-001 for host n7, link eth*: no host of this run has such a name"


def test_what_is_waived_is_not_gone() -> None:
    compared = compare(document(), document(waivers=[GATEWAY]), None)
    assert {one.state for one in compared.findings} == {State.STILL_THERE}


def test_the_gate_counts_only_what_the_baseline_lacks() -> None:
    healthy, sick = document(pod_mtu=1450), document()
    shown = document(baseline=healthy)
    assert reached(shown, "low") == {"critical": 1}
    assert [one["baseline"] for one in shown["findings"]] == ["new", *["known"] * 4]
    assert shown["baseline"] == {
        "source": "/old/report.json",
        "generated_at": "2026-01-02T03:04:05Z",
        "new": 1,
        "known": 4,
        "worse": 0,
    }
    assert text(shown)[2] == "Baseline of 2026-01-02T03:04:05Z: 1 of these are new, 4 were there before."
    assert reached(document(baseline=sick), "low") == {}
    assert document(baseline=sick)["summary"]["severity"]["critical"] == 1


def rolled_out(suffix: str) -> Dict[str, Any]:
    """The report, its pod a Deployment's: each rollout gives it another name, and its findings other fingerprints."""
    made = document()
    for one in made["findings"]:
        owner = one["target"]["owner"] or {}
        if owner.get("kind") == "pod":
            owner.update(name=f"prod/gateway-{suffix}", pod=f"gateway-{suffix}")
            one["fingerprint"] = hashlib.sha256(f"{suffix}{one['fingerprint']}".encode("ascii")).hexdigest()
    return made


def test_a_rollout_makes_nothing_new() -> None:
    then, now = rolled_out("7d9f8b6c5d-x2k4q"), rolled_out("5c6b8f9d7-p9wzt")
    assert not {one["fingerprint"] for one in now["findings"] if one["id"] == "MTU-001"} & {
        one["fingerprint"] for one in then["findings"]
    }
    known = read_baseline(then, "/old/report.json")
    assert {known.age(one) for one in now["findings"]} == {Age.KNOWN}
    compared = compare(then, now, None)
    assert [one.state for one in compared.findings] == [State.STILL_THERE] * len(now["findings"])
    assert "0 new, 0 gone" in FORMATS["markdown"].render(now, then)
    (run,) = json.loads(FORMATS["sarif"].render(now, then))["runs"]
    assert {one["baselineState"] for one in run["results"]} == {"unchanged"}


def test_what_was_promised_of_a_pod_is_not_held_against_its_successor() -> None:
    then, now = rolled_out("7d9f8b6c5d-x2k4q"), rolled_out("5c6b8f9d7-p9wzt")
    names = ("fingerprint", "id", "title")
    findings = [{**{name: one[name] for name in names}, "host": "n2"} for one in then["findings"][:1]]
    states = {one.fingerprint: one.state for one in compare(then, now, {"paths": [], "findings": findings}).findings}
    assert states[then["findings"][0]["fingerprint"]] is State.GONE
    assert states[now["findings"][0]["fingerprint"]] is State.NEW


def test_what_was_waived_then_is_new_once_the_waiver_is_over() -> None:
    then = document(waivers=[GATEWAY])
    assert reached(document(baseline=then), "high") == {"critical": 1}
    shown = document(baseline=then, waivers=[GATEWAY])
    assert reached(shown, "low") == {} and "baseline" not in shown["findings"][-1]


def test_what_became_more_severe_is_said() -> None:
    then = document(policy={"rules": {"MTU-001": {"severity": "low"}}})
    shown = document(baseline=then)
    assert shown["findings"][0]["baseline"] == "worse" and reached(shown, "high") == {}
    told = " ".join(line.strip() for line in text(shown)[2:4])
    assert told.endswith("0 of these are new, 5 were there before (1 of them more severe now).")


@pytest.mark.parametrize("content", [None, [], {}, {"paths": []}, {"paths": {}, "findings": []}])
def test_what_is_no_report_is_no_baseline(content: Any) -> None:
    with pytest.raises(FileError, match="netfit_baseline: not a report"):
        read_baseline(content, "x")


def test_a_baseline_need_not_be_of_this_version() -> None:
    strange = {name: "" for name in FINDING} | {"id": "MTU-001", "status": "fail", "severity": "dire"}
    known = read_baseline({"paths": [], "findings": [strange]}, "x")
    assert (list(known.severities.values()), known.generated_at) == ([Severity.INFO], None)
    assert known.age({**strange, "severity": "low"}) is Age.WORSE
