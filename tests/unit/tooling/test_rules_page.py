# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/rules.md is what the catalogue and the guides say now."""

from __future__ import annotations

import re

import rules_page

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Severity
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import CATALOGUE, RULES, Rule
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.guides import Guide, read_guides


def test_the_page_is_current() -> None:
    made = rules_page.page(RULES, read_guides())
    assert rules_page.PAGE.read_text(encoding="utf-8") == made, "run .venv/bin/python tools/rules_page.py"


def test_every_rule_has_a_section_and_a_line_that_leads_to_it() -> None:
    text = rules_page.PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^### (\S+)$", text, re.MULTILINE)
    assert sorted(sections) == sorted(CATALOGUE)
    assert re.findall(r"^\| \[(\S+)\]\(#(\S+)\)", text, re.MULTILINE) == [(one, one.lower()) for one in sections]


def test_the_readme_names_each_area_from_its_first_rule_to_its_last() -> None:
    text = (rules_page.ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+-\d+)`(?: to `([A-Z]+-\d+)`)? \|", text, re.MULTILINE)
    areas = dict.fromkeys(rule.partition("-")[0] for rule in sorted(CATALOGUE) if not rule.startswith("AUDIT"))
    ranges = {area: [rule for rule in sorted(CATALOGUE) if rule.startswith(f"{area}-")] for area in areas}
    assert {(first, last or first) for first, last in rows} == {(rules[0], rules[-1]) for rules in ranges.values()}


def test_a_new_area_comes_last_and_names_with_underscores_stay_as_they_are() -> None:
    rule = Rule("NEW-001", "Title", "Why.", Severity.LOW, ("Linux net/a_b.c c_d", "https://example.org/a_b"))
    text = rules_page.page([rule, *RULES], {**read_guides(), "NEW-001": Guide("Found.", ("Step.",), ())})
    assert text.index("## NEW") > text.index("### AUDIT-002")
    assert "*References:* Linux `net/a_b.c` `c_d`; <https://example.org/a_b>." in text
    assert f"*With netfit:* {rules_page.NOT_PLAYED}" in text
