# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: its document, its schema, what the terminal shows, and the commands."""

from __future__ import annotations

import json
import os
import shlex
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional

import jsonschema
import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.commands import (
    PLAYED,
    fix_commands,
    keep_hint,
    playbook_command,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import (
    SCHEMA_FILE,
    build_document,
    describe_policy,
    reached,
    write_atomically,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy()
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def assessment(name: str, facts: Any, status: str = "audited", reason: Optional[str] = None) -> Dict[str, Any]:
    findings = [one.as_fact() for one in assess_host(name, facts, POLICY)] if facts else []
    return {
        "status": status,
        "reason": reason,
        "kernel": b.KERNEL,
        "namespaces": 2,
        "findings": findings,
        "policy": describe_policy(POLICY),
    }


def document(hosts: Any = None, **others: Any) -> Dict[str, Any]:
    facts = b.incident() if hosts is None else hosts
    assessments = {**{name: assessment(name, facts[name]) for name in facts}, **others}
    between = [one.as_fact() for one in assess_cluster(facts, POLICY)]
    return build_document(assessments, between, describe_policy(POLICY), NOW)


def text(shown: Dict[str, Any], width: int = 100) -> str:
    return "\n".join(line.text for line in render(shown, width, ["Report: report.json"]))


def test_schema_is_one_and_holds_the_incident() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    shown = document(n9=assessment("n9", None, "unreachable", "timed out"), n8=None)
    jsonschema.validate(shown, SCHEMA)
    assert shown["generated_at"] == "2026-01-02T03:04:05Z" and shown["paths"] == []
    assert shown["summary"]["hosts"] == {
        "total": 6,
        "healthy": 3,
        "audited": 4,
        "unreachable": 1,
        "failed": 0,
        "not_assessed": 1,
    }
    assert shown["summary"]["severity"]["critical"] == 1
    assert shown["hosts"]["n2"]["severity"]["critical"] == 1 and shown["hosts"]["n8"]["status"] == "not_assessed"


@pytest.mark.parametrize(
    "path",
    [
        ["schema_version"],
        ["findings", 0, "fingerprint"],
        ["findings", 0, "target", "scope"],
        ["hosts", "n1", "status"],
        ["findings", 0, "remedy", "tag"],
        ["findings", 0, "evidence", 0, "what"],
        ["summary", "severity", "critical"],
    ],
)
def test_schema_refuses_other_values(path: List[Any]) -> None:
    shown = document()
    inner: Any = shown
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = {"odd": True}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(shown, SCHEMA)


def test_document_does_not_depend_on_the_order_of_hosts() -> None:
    facts = b.incident()
    assert json.dumps(document(dict(reversed(list(facts.items()))))) == json.dumps(document(facts))


def test_cluster_finding_takes_the_place_of_the_hosts_own() -> None:
    critical = [one for one in document()["findings"] if one["severity"] == "critical"]
    assert len(critical) == 1
    assert critical[0]["evidence"][-1] == {
        "what": "Ip.FragFails a second on n1",
        "value": 3.5,
        "source": "/proc/net/snmp",
    }


@pytest.mark.parametrize(
    ("fail_on", "counts"),
    [("none", {}), ("critical", {"critical": 1}), ("high", {"critical": 1}), ("low", {"critical": 1})],
)
def test_gate_counts_failures_from_a_severity_upwards(fail_on: str, counts: Dict[str, int]) -> None:
    assert reached(document(), fail_on) == counts


def test_what_could_not_be_checked_passes_every_gate() -> None:
    broken = b.facts(problems=[b.problem("daemon.json", "broken", "/etc/docker/daemon.json")])
    shown = document({"n1": broken})
    assert reached(shown, "low") == {}
    assert "Could not be checked:\n  AUDIT-001 on n1: /etc/docker/daemon.json: daemon.json: broken" in text(shown)
    assert "Nothing found on" not in text(shown)


def test_terminal_tells_the_incident() -> None:
    lines = text(document()).splitlines()
    assert lines[1] == "netfit: 4 hosts audited. Findings: 1 critical, 4 info."
    assert lines[3] == "CRITICAL  MTU-001  Pod or container MTU exceeds the overlay that its traffic crosses"
    assert lines[4:7] == [
        "  where       n2, pod prod/gateway, link eth0",
        "  observed    MTU 1500",
        "  expected    at most 1450 (flannel.1 on n2)",
    ]
    assert "  fix now     as root on n2:" in lines
    assert "              nsenter --net=/var/run/netns/cni-9002 ip link set dev eth0 mtu 1450" in lines
    assert "              ip link set dev cali7 mtu 1450" in lines
    assert lines[-2:] == ["Nothing found on n1, n3, n4", "Report: report.json"]


@pytest.mark.parametrize("width", [20, 60, 80, 100, 300])
def test_lines_fit_the_terminal_but_for_commands_and_paths(width: int) -> None:
    limit = max(60, min(width, 120))
    long = [line for line in text(document(), width).splitlines() if len(line) > limit]
    assert all(" ip link set " in line or " ansible-playbook " in line for line in long)


def test_worst_finding_decides_the_colour_and_words_say_it_too() -> None:
    lines = render(document(), 100)
    toned = {line.text.split("  ")[0]: line.tone for line in lines if line.tone}
    assert toned["CRITICAL"] == "critical" and toned["Nothing found on n1, n3, n4"] == "healthy"
    assert toned["netfit: 4 hosts audited. Findings: 1 critical, 4 info."] == "critical"


def _many_pods(count: int) -> Dict[str, Any]:
    ends = [b.link(f"cali{n}", 1500, "veth", n, peer=b.peer(9000 + n, 3, "eth0", 1500)) for n in range(10, 10 + count)]
    pods = [b.pod_network(9000 + n, b.pod(f"web-{n}"), 1500, f"10.42.2.{n}/32", n) for n in range(10, 10 + count)]
    return {"n2": b.facts([b.node(2, extra=ends), *pods])}


def test_ten_pods_with_one_fault_are_one_block() -> None:
    shown = document(_many_pods(10))
    assert len(shown["findings"]) == 10
    out = text(shown)
    assert out.count("MTU-001") == 1
    assert "n2, pod prod/web-10, link eth0" in out and "and 4 more in the report" in out
    assert out.count("ip link set dev") == 20


def test_hosts_that_were_not_audited_are_named_with_the_reason() -> None:
    out = text(document(n9=assessment("n9", None, "unreachable", "Connection\n timed out"), n8=None))
    assert "netfit: 4 hosts audited, 2 not audited." in out
    assert "Not audited: n9 (unreachable: Connection timed out)" in out
    assert "Not audited: n8 (not assessed: no assessment" in out


def test_nothing_found() -> None:
    assert text(document(b.incident(pod_mtu=1450))).strip() == (
        "netfit: 4 hosts audited. Findings: 4 info.\n\nNothing found on n1, n2, n3, n4\nReport: report.json"
    )


def _finding(tag: str, **variables: Any) -> Dict[str, Any]:
    return {"remedy": {"tag": tag, "variables": variables}, "target": {"host": "n1"}}


@pytest.mark.parametrize(
    ("finding", "commands"),
    [
        (_finding("link_mtu", links=[{"link": "eth0", "mtu": 1450}]), ["ip link set dev eth0 mtu 1450"]),
        (
            _finding("link_mtu", links=[{"pid": 7, "link": "eth0", "mtu": 1450}]),
            ["nsenter --target 7 --net ip link set dev eth0 mtu 1450"],
        ),
        (_finding("link_mtu", links=[{"namespace": None, "link": "eth0", "mtu": 1450}]), []),
        (
            _finding("link_mtu", links=[{"namespace": "/run/a b;c", "link": "x$(y)", "mtu": 1450}]),
            ["nsenter '--net=/run/a b;c' ip link set dev 'x$(y)' mtu 1450"],
        ),
        (_finding("sysctl_profile", sysctls={"net.ipv4.tcp_rmem": "1 2 3"}), ["sysctl -w 'net.ipv4.tcp_rmem=1 2 3'"]),
        (
            _finding("listen_backlog", backlog=511, somaxconn=511, unit="app.service"),
            ["sysctl -w net.core.somaxconn=511", "systemctl restart app.service"],
        ),
        (_finding("listen_backlog", backlog=511, unit="docker-1.scope", namespace="/run/n"), []),
        (_finding("cni_mtu", pod_mtu=1450, files=["/etc/x"]), []),
    ],
)
def test_commands(finding: Dict[str, Any], commands: List[str]) -> None:
    assert fix_commands(finding) == commands
    assert all(shlex.split(command) for command in commands)
    assert keep_hint(finding)


def test_finding_without_remedy_has_no_command() -> None:
    assert fix_commands({"remedy": None}) == [] and keep_hint({"remedy": None}) is None


def test_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "report.json"
    write_atomically(path, "first")
    assert path.read_text(encoding="utf-8") == "first"

    os.link(path, tmp_path / "being-read")
    write_atomically(path, "newer")
    assert path.read_text(encoding="utf-8") == "newer"
    assert (tmp_path / "being-read").read_text(encoding="utf-8") == "first"

    def refuse(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "second")
    assert path.read_text(encoding="utf-8") == "newer"
    assert [one.name for one in path.parent.iterdir()] == ["report.json"]


def test_what_the_playbook_can_heal_is_told_with_its_command() -> None:
    finding = {"target": {"host": "n2"}, "remedy": {"tag": "sysctl_profile", "variables": {"sysctls": {"a.b": 1}}}}
    assert playbook_command(finding) == "ansible-playbook netfit.cluster.remediate --tags sysctl_profile --limit n2"
    assert playbook_command({**finding, "remedy": {"tag": "path_mtu_cache"}}) is None


def test_what_follows_from_the_whole_network_is_not_limited_to_a_host() -> None:
    finding = {"target": {"host": "n2"}, "remedy": {"tag": "link_mtu", "variables": {}}}
    assert playbook_command(finding) == "ansible-playbook netfit.cluster.remediate --tags link_mtu"


def test_the_tags_that_are_told_are_tags_of_the_playbook() -> None:
    playbook = yaml.safe_load((ROOT / "playbooks" / "remediate.yml").read_text(encoding="utf-8"))
    tagged = [*playbook, *(task for play in playbook for task in play["tasks"])]
    written = [part.get("tags", []) for part in tagged]
    assert set(PLAYED) <= {tag for tags in written for tag in ([tags] if isinstance(tags, str) else tags)}
