# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the catalogue: it fires, it keeps quiet, the policy rules over it, and people are told about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Set

import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Severity
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.commands import PLAYED
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import CATALOGUE, RULES
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.guides import read_guides
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit.rules.rule_cases import CASES

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy()
GUIDES = read_guides()
HEALING_TAGS = {
    "link_mtu": {"live", "mtu"},
    "cni_mtu": {"cni", "runtime"},
    "sysctl_profile": {"sysctl", "containers"},
    "listen_backlog": {"queues"},
    "mss_clamp": {"mss_clamp"},
}
"""What a finding's remedy asks for -> tags of the playbook that do it."""
every_rule = pytest.mark.parametrize("rule", sorted(CATALOGUE))


def fired(rule: str, policy: Any = POLICY) -> Any:
    return [one for one in CASES[rule][0].audit(policy) if one.id == rule]


def test_there_is_a_case_and_a_guide_for_every_rule_and_no_other() -> None:
    assert set(CASES) == set(CATALOGUE) == set(GUIDES)
    assert len(RULES) == len(CATALOGUE)


@every_rule
def test_it_fires_where_it_should(rule: str) -> None:
    found = fired(rule)
    assert found and {one.title for one in found} == {CATALOGUE[rule].title}


@every_rule
def test_it_keeps_quiet_next_door(rule: str) -> None:
    assert [one for one in CASES[rule][1].audit(POLICY) if one.id == rule] == []


@every_rule
@pytest.mark.parametrize("severity", [Severity.INFO, Severity.CRITICAL])
def test_the_policy_gives_it_a_severity(rule: str, severity: Severity) -> None:
    own = load_policy({"rules": {rule: {"severity": severity.value}}})
    assert {one.severity for one in fired(rule, own)} == {severity}


@every_rule
def test_the_policy_switches_it_off(rule: str) -> None:
    assert fired(rule, load_policy({"rules": {rule: {"enabled": False}}})) == []


@every_rule
def test_its_guide_says_how_it_is_found_and_what_to_do(rule: str) -> None:
    guide = GUIDES[rule]
    assert len(guide.found) > 40 and guide.by_hand and all(len(step) > 10 for step in guide.by_hand)
    assert guide.found.strip().endswith(".")


@every_rule
def test_its_guide_names_the_tags_that_heal_what_it_finds(rule: str) -> None:
    wanted = {one.remedy.tag for one in fired(rule) if one.remedy is not None} & set(PLAYED)
    assert all(HEALING_TAGS[tag] & set(GUIDES[rule].tags) for tag in wanted)


def test_the_guides_tags_are_tags_of_the_playbook() -> None:
    playbook = yaml.safe_load((ROOT / "playbooks" / "remediate.yml").read_text(encoding="utf-8"))
    known: Set[str] = set()
    for part in [*playbook, *(task for play in playbook for task in play["tasks"])]:
        tags = part.get("tags", [])
        known.update([tags] if isinstance(tags, str) else tags)
    assert {tag for guide in GUIDES.values() for tag in guide.tags} <= known
