# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify with real ansible-playbook, on recorded facts and measurements."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from ansible_collections.netfit.cluster.tests.unit.builders import incident

Play = Callable[..., subprocess.CompletedProcess[str]]
GATEWAY = "n1 to pod prod/gateway on n2"


def differing(**paths: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Variables of n1 with what differs in its measurement of the path to the gateway."""
    return {"n1": {"measured": json.dumps({GATEWAY: paths})}}


def direction(verdict: str, path_mtu: Any = None, **more: Any) -> Dict[str, Any]:
    return {"verdict": verdict, "path_mtu": path_mtu, "at_least": path_mtu or 0, "confidence": 1.0, **more}


def test_a_cluster_whose_paths_carry_what_is_promised_passes(play: Play) -> None:
    ended = play("verify", incident(pod_mtu=1450))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Verified: all 9 paths carry what is expected." in ended.stdout


def test_a_path_that_carries_less_than_the_pod_announces_fails_with_both_numbers(play: Play) -> None:
    narrow = direction("reduced, ICMP works", 1450, limited_by="path", reported_mtu=1450, router="10.42.2.1")
    ended = play("verify", incident(), variables=differing(verdict="reduced, ICMP works", back=narrow))
    assert ended.returncode == 2, ended.stdout
    text = " ".join(ended.stdout.split())
    assert f"FAIL {GATEWAY}: expected 1500, measured 1500 / 1450" in text, text[-2000:]
    assert "1 of 9 paths" in text


def test_an_mtu_that_is_stated_is_enough(play: Play) -> None:
    narrow = direction("reduced, ICMP works", 1450, limited_by="path", reported_mtu=1450, router="10.42.2.1")
    variables = differing(verdict="reduced, ICMP works", back=narrow)
    assert play("verify", incident(), "-e", "netfit_expected_mtu=1450", variables=variables).returncode == 0
    assert play("verify", incident(), "-e", "netfit_expected_mtu=1451", variables=variables).returncode == 2


@pytest.mark.parametrize(
    ("verdict", "back", "words"),
    [
        ("unknown", direction("unknown", reason="too much loss"), ["unknown", "too much loss"]),
        ("unreachable", direction("unreachable", reason="no answer"), ["unreachable"]),
        ("black hole", direction("black hole", 1400, at_most=1400), ["black hole", "1400"]),
    ],
)
def test_what_is_not_known_to_carry_it_fails_by_its_name(play: Play, verdict: str, back: Any, words: List[str]) -> None:
    ended = play("verify", incident(pod_mtu=1450), variables=differing(verdict=verdict, forward=back, back=back))
    assert ended.returncode == 2, ended.stdout
    line = " ".join(ended.stdout[ended.stdout.index("FAIL") :].split())
    assert all(word in line for word in (GATEWAY, *words)), line


@pytest.mark.parametrize("outcome", ["failing", "unreachable"])
def test_a_host_that_cannot_measure_does_not_pass(play: Play, outcome: str) -> None:
    ended = play("verify", incident(pod_mtu=1450), variables={"n1": {"outcome_of_path_mtu_info": outcome}})
    assert ended.returncode == 2, ended.stdout
    assert "path_mtu_info of n1 broke" in " ".join(ended.stdout.split())


def test_a_host_that_cannot_be_reached_does_not_pass(play: Play) -> None:
    facts = incident(pod_mtu=1450)
    ended = play("verify", {**facts, "n4": None})
    assert ended.returncode in (2, 4), ended.stdout
    assert "FAIL n4 (unreachable: no answer from n4)" in " ".join(ended.stdout.split())


def test_a_single_host_has_nothing_to_verify(play: Play) -> None:
    ended = play("verify", {"n2": incident(pod_mtu=1450)["n2"]})
    assert ended.returncode == 2 and "nothing was measured" in ended.stdout


def test_verifying_without_measuring_is_refused(play: Play, tmp_path: Path) -> None:
    ended = play("verify", incident(), "-e", "netfit_probe=none")
    assert ended.returncode == 2 and "netfit_probe is none" in ended.stdout
    assert not list(tmp_path.glob("asked-*"))


def test_the_audit_before_and_the_promise_are_found_beside_the_report(play: Play, tmp_path: Path) -> None:
    reports = tmp_path / "netfit-report"
    assert play("audit", incident()).returncode == 0
    (reports / "report.json").rename(reports / "before.json")
    before = json.loads((reports / "before.json").read_text(encoding="utf-8"))
    [overlay] = [one for one in before["findings"] if one["id"] == "MTU-001"]
    promise: Dict[str, Any] = {"paths": [], "findings": [overlay], "waiting": []}
    (reports / "plan.json").write_text(json.dumps(promise), encoding="utf-8")
    healed = play("verify", incident(pod_mtu=1450))
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "gone: MTU-001 on n2" in healed.stdout
    assert "All that was promised holds." in healed.stdout
    broken = play("verify", incident())
    assert broken.returncode == 2
    assert "BROKEN PROMISE MTU-001 on n2 is still there" in " ".join(broken.stdout.split())
    forgotten = play("verify", incident(), "-e", "netfit_promised=")
    assert forgotten.returncode == 0, forgotten.stdout + forgotten.stderr
    assert "still there: MTU-001 on n2" in forgotten.stdout
