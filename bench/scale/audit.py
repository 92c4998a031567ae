# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller does in an audit, from the facts on, without Ansible around it: phase by phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping

from ansible_collections.netfit.cluster.plugins.action.mesh_plan import assign
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.results import paths as join_paths
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.results import tcp_paths as join_tcp_paths
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host, finish
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import mesh_rules
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.cluster import cluster_rules
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.problems import not_audited
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host

from . import synthetic

PLAN = {
    "probe": "all",
    "hosts": None,
    "responder_port": 47815,
    "vantage_group": "vantage",
    "node_ports": [synthetic.NODE_PORT],
    "expect": "carried",
    "expected_mtu": None,
    "timeout": 10.0,
    "gathered_in": "netfit_gathered",
    "slice": None,
}

Facts = Dict[str, Any]


def write_facts(count: int, pods: int, folder: Path) -> Path:
    """Write the facts of the fleet, one line for each host that answers, and return the file."""
    file = folder / "facts.jsonl"
    with file.open("w", encoding="utf-8") as stream:
        for node in synthetic.fleet(count, pods):
            if not node.unreachable:
                stream.write(json.dumps([node.name, node.facts()]) + "\n")
    return file


def run(file: Path, count: int, pods: int, watch: Any) -> Mapping[str, float]:
    """Go through the phases of an audit. Returns how much there was of everything."""
    policy = load_policy()
    nodes = synthetic.names_of(synthetic.fleet(count, pods))
    with watch.phase("read the facts"), file.open(encoding="utf-8") as stream:
        facts: Dict[str, Facts] = dict(json.loads(line) for line in stream)
    with watch.phase("plan the mesh"):
        work = plan(facts, nodes)
    results = measure(work, nodes)
    with watch.phase("assess each host"):
        assessments = {name: assess(name, facts.get(name), results.get(name, {}), policy) for name in nodes}
    with watch.phase("read all facts again"):
        measured = {name: read_measured(name, one["paths"], one["tcp_paths"]) for name, one in assessments.items()}
        views = [view_host(name, facts[name]) for name in sorted(facts)]
    with watch.phase("assess the mesh"):
        mesh = mesh_rules(measured, views, policy)
    with watch.phase("assess the cluster"):
        between = [one.as_fact() for one in finish(policy, [*cluster_rules(views, policy), *mesh.findings])]
    del measured, views
    with watch.phase("join the report"):
        document = build_document(assessments, between, describe_policy(policy), explained=mesh.explained)
    amounts: Dict[str, float] = {
        "facts, bytes": file.stat().st_size,
        "paths": len(document["paths"]),
        "findings": len(document["findings"]),
    }
    with watch.phase("terminal"):
        amounts["lines in the terminal"] = len(render(document, 100))
    for name, kind in FORMATS.items():
        with watch.phase(f"{name}: {kind.file}"):
            amounts[f"{kind.file}, bytes"] = len(kind.render(document, None).encode("utf-8"))
    return amounts


def plan(facts: Mapping[str, Facts], nodes: Mapping[str, synthetic.Node]) -> Mapping[str, Facts]:
    """Return what each host has to measure."""
    hostvars = {name: {"ansible_facts": facts.get(name, {}), "ansible_host": nodes[name].address} for name in nodes}
    variables = {
        "hostvars": hostvars,
        "ansible_play_hosts_all": list(nodes),
        "groups": {"vantage": [synthetic.VANTAGE]},
        "ansible_forks": 50,
    }
    work: Mapping[str, Facts] = assign(variables, PLAN, [], responders=True)["hosts"]
    return work


def measure(work: Mapping[str, Facts], nodes: Mapping[str, synthetic.Node]) -> Dict[str, Dict[str, List[Facts]]]:
    """Return what was measured from each host."""
    return {
        name: {
            "paths": join_paths(
                name,
                todo["targets"],
                {"paths": [synthetic.measured(name, target, nodes) for target in todo["targets"]]},
            ),
            "tcp_paths": join_tcp_paths(
                name,
                todo["tcp_targets"],
                {"paths": [synthetic.tcp_measured(target, nodes) for target in todo["tcp_targets"]]},
            ),
        }
        for name, todo in work.items()
    }


def assess(name: str, facts: Any, results: Mapping[str, List[Facts]], policy: Any) -> Facts:
    """Return the assessment of one host, as the action leaves it among the facts."""
    if facts is None:
        status, findings = "unreachable", finish(policy, [not_audited(name, policy, synthetic.UNREACHABLE)])
    else:
        status, findings = "audited", assess_host(name, facts, policy, read_measured(name, **results))
    return {
        "status": status,
        "reason": None if facts is not None else synthetic.UNREACHABLE,
        "kernel": None if facts is None else facts["netfit_mtu"]["kernel"],
        "namespaces": None if facts is None else len(facts["netfit_mtu"]["namespaces"]),
        "policy": describe_policy(policy),
        "findings": [one.as_fact() for one in findings],
        "paths": results.get("paths", []),
        "tcp_paths": results.get("tcp_paths", []),
        "traces": [],
    }
