# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a file for each host of a fleet: its facts and its assessment."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy

from . import audit, synthetic


def write(count: int, folder: str) -> None:
    """Write them into that folder, as NAME.json."""
    policy, nodes = load_policy(), synthetic.names_of(synthetic.fleet(count))
    facts = {name: node.facts() for name, node in nodes.items() if not node.unreachable}
    results = audit.measure(audit.plan(facts, nodes), nodes)
    for name in nodes:
        content = audit.assess(name, facts.get(name), results.get(name, {}), policy)
        Path(folder, f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
