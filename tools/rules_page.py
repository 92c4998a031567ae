# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes docs/rules.md of the catalogue and the guides: .venv/bin/python tools/rules_page.py

Needs PyYAML. A test tells when the page is out of date.
"""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, List, Mapping, Sequence

if TYPE_CHECKING:
    from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import Rule
    from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.guides import Guide

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rules.md"
RULES = "ansible_collections.netfit.cluster.plugins.plugin_utils._rules"
WIDTH = 120
AREAS = {
    "MTU": "MTUs as they are set",
    "PATH": "Paths as they are measured",
    "MSS": "What TCP ports offer",
    "HTTP": "Requests as clients send them",
    "QUEUE": "Listen queues",
    "SYSCTL": "Kernel parameters",
    "AUDIT": "What could not be checked",
}
"""First part of an id -> headline, in the order of the page; areas without one come last, by their own name."""
INTRODUCTION = """\
# The rules

<!-- Made by tools/rules_page.py from catalogue.py and guides.yml in plugins/plugin_utils/_rules: edit these. -->

Every finding of an audit names a rule, and this page says of each what it means. The severity is the one by default;
facts may say better, and your [policy](policy.md) has the last word: `rules: {MTU-005: {severity: low}}`, or
`{enabled: false}`. A finding that you accept is [waived](waivers.md).

The finding itself has the commands with their values. "With netfit" names the tags of the playbook that heals it
([remediation.md](remediation.md)):

    ansible-playbook netfit.cluster.remediate -i hosts.ini --tags TAGS --check --diff
"""
NOT_PLAYED = "not by the playbook: it is for people to decide."


def main() -> int:
    """Write the page of what this checkout says, whatever is installed. Returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="netfit-rules-") as scratch:
        link = Path(scratch, "ansible_collections", "netfit", "cluster")
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        sys.path.insert(0, scratch)
        rules = importlib.import_module(f"{RULES}.catalogue").RULES
        guides = importlib.import_module(f"{RULES}.guides").read_guides()
    PAGE.write_text(page(rules, guides), encoding="utf-8")
    return 0


def page(rules: Sequence[Rule], guides: Mapping[str, Guide]) -> str:
    """Return the page: a table of all rules, then each of them."""
    areas: List[str] = list(AREAS)
    areas.extend(area for area in dict.fromkeys(map(_area, rules)) if area not in AREAS)
    ordered = [rule for area in areas for rule in rules if _area(rule) == area]
    parts = [INTRODUCTION, _table(ordered)]
    for position, rule in enumerate(ordered):
        if position == 0 or _area(rule) != _area(ordered[position - 1]):
            parts.append(f"## {AREAS.get(_area(rule), _area(rule))}\n")
        parts.append(_section(rule, guides[rule.id]))
    return "\n".join(parts)


def _area(rule: Rule) -> str:
    return rule.id.partition("-")[0]


def _table(rules: Sequence[Rule]) -> str:
    rows = [f"| [{rule.id}](#{rule.id.lower()}) | {rule.title} | {rule.severity.value} |" for rule in rules]
    return "\n".join(["| rule | what is wrong | severity |", "|---|---|---|", *rows, ""])


def _section(rule: Rule, guide: Guide) -> str:
    parts = [
        f"### {rule.id}\n\n**{rule.title}.** Severity: {rule.severity.value}.\n",
        _paragraph(f"*Why it matters.* {rule.why}"),
        _paragraph(f"*How it is found.* {guide.found}"),
        "*By hand.*\n",
        *[_step(step) for step in guide.by_hand],
        "",
        _paragraph(f"*With netfit:* {_with_netfit(guide)}"),
    ]
    if rule.references:
        parts.append(_paragraph(f"*References:* {'; '.join(map(_reference, rule.references))}."))
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    return "\n".join(_wrapped(text, "")) + "\n"


def _step(text: str) -> str:
    return "\n".join(_wrapped(text, "- "))


def _wrapped(text: str, bullet: str) -> List[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _with_netfit(guide: Guide) -> str:
    if not guide.tags:
        return NOT_PLAYED
    tags = f"`--tags {','.join(guide.tags)}`."
    return f"{tags} {guide.note}" if guide.note else tags


def _reference(text: str) -> str:
    """Return a reference as Markdown: addresses as links, names with underscores as code."""
    if text.startswith("https://"):
        return f"<{text}>"
    return re.sub(r"\S*_\S*", lambda name: f"`{name.group()}`", text)


if __name__ == "__main__":
    raise SystemExit(main())
