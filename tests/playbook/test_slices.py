# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits in slices on recorded facts: the merged report is the whole one, whoever ran what, and whatever is cached."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from ansible_collections.netfit.cluster.tests.playbook.test_probing import done, measured, report
from ansible_collections.netfit.cluster.tests.unit.builders import incident

Play = Callable[..., subprocess.CompletedProcess[str]]
VOLATILE = ("generated_at",)
NO_WAIT = ("-e", "netfit_slice_wait=0")


def lasting(document: Dict[str, Any]) -> Dict[str, Any]:
    """A report without what differs between two audits of the same."""
    return {key: value for key, value in document.items() if key not in VOLATILE}


def fault(name: str) -> Dict[str, Dict[str, Any]]:
    """Variables of a host: the path of that name carries less than it should."""
    bad = {"verdict": "black hole", "path_mtu": 1400, "at_least": 1400, "at_most": 1401, "confidence": 1.0}
    return {name.partition(" ")[0]: {"measured": json.dumps({name: {"verdict": "black hole", "forward": bad}})}}


def audit_slices(play: Play, hosts: Dict[str, Any], slices: Dict[str, str], *more: str, **options: Any) -> List[str]:
    """Run slices at once: the name of each, and its limit. Returns what they said."""

    def run(item: Tuple[str, str]) -> str:
        ended = play("audit", hosts, "--limit", item[1], "-e", f"netfit_slice={item[0]}", *more, **options)
        assert ended.returncode in (0, 4), ended.stdout + ended.stderr
        return ended.stdout

    with ThreadPoolExecutor(len(slices)) as pool:
        return list(pool.map(run, slices.items()))


def test_the_merged_report_of_slices_is_that_of_the_whole_audit(play: Play, tmp_path: Path) -> None:
    variables = fault("n2 to n3")
    assert play("audit", incident(), variables=variables).returncode == 0
    whole, asked = report(tmp_path), measured(tmp_path)
    (tmp_path / "done.jsonl").unlink()
    audit_slices(play, incident(), {"a": "n1,n3", "b": "n2", "c": "n4"}, variables=variables)
    assert measured(tmp_path) == asked
    tokens = {one["token"] for one in done(tmp_path) if one.get("state") != "stopped"}
    assert len(tokens) == 1 and len(tokens.pop()) == 64
    order = [one.get("state", "measured") for one in done(tmp_path)]
    assert order == sorted(order, key=["started", "measured", "stopped"].index)
    assert list((tmp_path / "netfit-report/.slices/run").glob("[!l]*")) == []
    ended = play("report", {}, "-e", "netfit_slices=netfit-report")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(whole["paths"]) == 9 and [one for one in whole["findings"] if one["id"] == "PATH-001"]
    assert lasting(report(tmp_path)) == lasting(whole)
