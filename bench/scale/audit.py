# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller does in an audit, from the facts on, without Ansible around it: phase by phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.netfit.cluster.plugins.action.mesh_plan import assign
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.results import paths as join_paths
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.results import tcp_paths as join_tcp_paths
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assessment import (
    AUDITED,
    assess_one,
    assess_together,
    kept_assessment,
    kept_facts,
    reported_assessment,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.plain import Record, plain_copy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import Policy, load_policy

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
    variables = {name: {"ansible_facts": facts.get(name, {})} for name in nodes}
    with watch.phase("assess each host"):
        for name in nodes:
            variables[name]["ansible_facts"] = assess(name, facts.get(name), results.get(name, {}), policy)
    del facts, results, work
    with watch.phase("assess them together"):
        together = assess_together((known(name, variables[name]) for name in nodes), policy)
    with watch.phase("join the report"):
        kept = {name: reported_assessment(variables[name]) for name in nodes}
        document = build_document(kept, together["findings"], describe_policy(policy), explained=together["explained"])
    del kept
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


def assess(name: str, facts: Optional[Facts], results: Mapping[str, List[Facts]], policy: Policy) -> Facts:
    """Return the facts of one host with its assessment, as the action leaves them. facts: None without an answer."""
    status, reason = (AUDITED, None) if facts is not None else ("unreachable", synthetic.UNREACHABLE)
    own = kept_facts({"ansible_facts": facts or {}}, None)
    assessment = assess_one(name, own, plain_copy(results), policy, status, reason)
    return {**(facts or {}), "netfit_assessment": {**assessment, "policy": describe_policy(policy)}}


def known(name: str, variables: Mapping[str, Facts]) -> Tuple[str, Record, Record]:
    """Return what the action that looks at the cluster takes of one host."""
    kept = kept_assessment(variables)
    return name, kept_facts(variables, kept), kept or {}
