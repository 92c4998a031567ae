# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three reports, made of facts by the rules themselves: what the tests of formats render."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Verdict
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import (
    assess_cluster,
    assess_host,
    summarize,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import assess_mesh
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

Report = Dict[str, Any]
UNREACHABLE = {"status": "unreachable", "reason": "Connection timed out", "kernel": None, "namespaces": None}


def made(
    facts: Mapping[str, Any],
    paths: Optional[Mapping[str, List[Any]]] = None,
    ports: Optional[Mapping[str, List[Any]]] = None,
    **others: Any,
) -> Report:
    """Return the report on hosts with these facts and measurements. others: assessments of hosts without facts."""
    measured = {name: read_measured(name, (paths or {}).get(name), (ports or {}).get(name)) for name in facts}
    assessments: Dict[str, Any] = dict(others)
    for name in facts:
        assessments[name] = {
            "status": "audited",
            "reason": None,
            "kernel": b.KERNEL,
            "namespaces": 2,
            "findings": [one.as_fact() for one in assess_host(name, facts[name], POLICY, measured[name])],
            "paths": (paths or {}).get(name, []),
            "tcp_paths": (ports or {}).get(name, []),
        }
    mesh = assess_mesh(measured, facts, POLICY)
    between = [one.as_fact() for one in (*assess_cluster(facts, POLICY), *mesh.findings)]
    return build_document(assessments, between, describe_policy(POLICY), NOW, mesh.explained)


def incident() -> Report:
    """The incident on four nodes, a host that did not answer, one that the audit did not reach."""
    facts = b.incident(node_ports=True)
    facts["n4"]["netfit_mtu"]["problems"] = [
        b.problem("docker daemon.json", "not JSON", "/etc/docker/daemon.json").as_fact()
    ]
    return made(facts, n8=None, n9=UNREACHABLE)


def _plain_host() -> Any:
    return b.facts([b.network(b.HOST_INODE, b.host(), [b.link("eth0", 1500, "physical")], [])])


def black_holes() -> Report:
    """A mesh of four hosts, a black hole around one of them, and a load balancer whose packets vanish for one node."""
    paths = {
        f"n{one}": [
            b.path(
                f"n{other}",
                b.black(1400) if one == 3 else None,
                b.black(1400) if other == 3 else None,
                expected_mtu=1500,
            )
            for other in range(one + 1, 5)
        ]
        for one in range(1, 5)
    }
    ports = {"lb": [b.tcp_path("n1"), b.tcp_path("n2", 1450, Verdict.BLACK_HOLE)]}
    return made({name: _plain_host() for name in [*paths, *ports]}, paths, ports)


def settled() -> Report:
    """The incident after somebody had a look: one finding is waived, one fixed, all names are awkward."""
    report = deepcopy(incident())
    waived, fixed = report["findings"][:2]
    waived.update(
        status="waived",
        waiver={
            "by": "ops & <net>",
            "justification": 'until the "new" overlay | is there',
            "expires": "2026-03-01",
            "expired": False,
        },
    )
    fixed.update(status="fixed")
    waived["target"]["owner"]["name"] = "prod/`a`|<b>*c*_d_"
    report["summary"].update(summarize(report["findings"]))
    return report


REPORTS: Dict[str, Callable[[], Report]] = {"incident": incident, "black-holes": black_holes, "settled": settled}
