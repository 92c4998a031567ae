# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity of findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import (
    Confidence,
    Finding,
    Severity,
    Status,
    Target,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind

OWNER = Owner(OwnerKind.POD, "prod/gateway", "gateway", "prod", "a" * 64, "containerd", 4711)
TARGET = Target("n2", "pod", OWNER, link="eth0")
FINDING = Finding("MTU-001", "Title", Status.FAIL, Severity.CRITICAL, Confidence.DERIVED, TARGET, "1500", "1450")


@pytest.mark.parametrize(
    "change",
    [
        {"severity": Severity.LOW},
        {"observed": "1501"},
        {"title": "Other"},
        {"status": Status.FIXED},
        {"target": replace(TARGET, owner=replace(OWNER, pid=1, container_id="b" * 64, runtime="cri-o"))},
    ],
)
def test_fingerprint_outlives_restarts_and_other_words(change: Any) -> None:
    assert replace(FINDING, **change).fingerprint == FINDING.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"id": "MTU-007"},
        {"target": replace(TARGET, host="n1")},
        {"target": replace(TARGET, link="eth1")},
        {"target": replace(TARGET, link=None, key="eth0")},
        {"target": replace(TARGET, scope="container")},
        {"target": replace(TARGET, owner=replace(OWNER, name="prod/other"))},
        {"target": replace(TARGET, owner=None)},
        {"target": replace(TARGET, listener="tcp 0.0.0.0:80")},
        {"target": replace(TARGET, path="/etc/x")},
        {"target": replace(TARGET, peer="n3")},
        {"target": replace(TARGET, link=None, path="eth0")},
    ],
)
def test_fingerprint_tells_rules_and_targets_apart(change: Any) -> None:
    assert replace(FINDING, **change).fingerprint != FINDING.fingerprint


def test_fingerprint_is_fixed_for_baselines_that_people_keep() -> None:
    assert FINDING.fingerprint == "37944e645597432ff20c284a1c4cc9bf7e1db56e1e48f7885840c3b8eb40ed5d"
    of_path = replace(FINDING, id="PATH-001", target=Target("n1", "pod", OWNER, peer="pod prod/web on n3"))
    assert of_path.fingerprint == "ec36b28671c25b35047622987df551c8e6dd8c5c730e83b0f26b56ba8be202d5"


def test_far_end_and_file_are_different_parts_of_an_identity() -> None:
    by_peer, by_path = (Target("n1", "host", **{name: "n3"}) for name in ("peer", "path"))
    assert by_peer.identity() != by_path.identity()
    assert len(by_path.identity()) == len(TARGET.identity()) == 10 and len(by_peer.identity()) == 11


def test_worst_comes_first() -> None:
    low = replace(FINDING, id="AAA-001", severity=Severity.LOW)
    assert sorted([low, FINDING], key=lambda one: one.order) == [FINDING, low]
    assert [one.rank for one in (Severity.INFO, Severity.CRITICAL)] == [0, 4]


def test_plain_values_have_the_published_keys() -> None:
    assert list(FINDING.as_fact()) == [
        "id",
        "title",
        "status",
        "severity",
        "confidence",
        "target",
        "observed",
        "expected",
        "evidence",
        "remedy",
        "references",
        "fingerprint",
    ]
    assert FINDING.as_fact()["target"]["owner"]["kind"] == "pod"
