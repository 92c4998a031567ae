# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site is made of: the navigation, links that lead to pages of the site, playbooks' comments, the picture."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import List
from xml.etree import ElementTree

import docs_picture
import docs_reference
import docs_sources
import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.page import render_page

ROOT = docs_picture.ROOT
MOST_BYTES = 200_000


def test_the_navigation_has_every_guide_role_and_playbook_once() -> None:
    parts = docs_sources.read_navigation((ROOT / docs_sources.INDEX).read_text(encoding="utf-8"))
    listed = [path for part in parts for path, _title in part.entries]
    guides = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - {docs_sources.INDEX}
    assert len(listed) == len(set(listed))
    assert {path for path in listed if path.startswith("docs/")} == guides
    assert set(listed) >= set(docs_sources.FOLDERS)


@pytest.mark.parametrize(
    ("source", "written", "in_site"),
    [
        ("docs/rules.md", "[a](policy.md#top) [b](#here)", "[a](policy.md#top) [b](#here)"),
        ("docs/rules.md", "[a](../roles/rancher_mtu/README.md)", "[a](roles/rancher_mtu.md)"),
        ("roles/rancher_mtu/README.md", "[a](../../docs/rke1.md)", "[a](../rke1.md)"),
        ("docs/index.md", "[a](../playbooks) [b](../README.md)", "[a](playbooks/index.md) [b](index.md)"),
        ("docs/index.md", "[a](../playbooks/audit.yml)", "[a](playbooks/audit.md)"),
        ("docs/reports.md", "[a](examples/x.yml)", "[a](files/docs/examples/x.yml)"),
        ("docs/reports.md", "[a](https://x.example/y.md)", "[a](https://x.example/y.md)"),
        ("docs/reports.md", "    [a](../x.yml)", "    [a](../x.yml)"),
        ("docs/reports.md", "```\n[a](../x.yml)\n```\n[b](rke1.md)", "```\n[a](../x.yml)\n```\n[b](rke1.md)"),
    ],
)
def test_a_link_leads_to_the_page_of_the_site(source: str, written: str, in_site: str) -> None:
    attached: List[str] = []
    assert docs_sources.for_site(written, source, attached.append) == f"{in_site}\n"
    assert attached == (["docs/examples/x.yml"] if "files/" in in_site else [])


def test_a_start_page_without_navigation_is_refused() -> None:
    with pytest.raises(docs_sources.SourceError, match="has no parts"):
        docs_sources.read_navigation("# Title\n\n- [a](b.md)\n")


PLAYBOOK = """\
---
# Copyright: somebody
# SPDX-License-Identifier: none
#
# Does *something*.
#   ansible-playbook netfit.cluster.x -i hosts.ini
#
# Tags:
#   live        what runs,
#               and more
#   a, b        other names
#
# netfit_hosts   pattern (default: all | none)
# netfit_a, netfit_b  as for
#   netfit.cluster.audit
# Of a host: netfit_zone, its zone.

- name: Play
"""


def test_a_playbooks_comment_becomes_a_page() -> None:
    assert docs_reference.playbook_page("x", PLAYBOOK) == (
        "# netfit.cluster.x\n\n"
        "Does \\*something\\*.\n\n"
        "```sh\nansible-playbook netfit.cluster.x -i hosts.ini\n```\n\n"
        "Tags:\n\n"
        "| name | meaning |\n|---|---|\n| `live` | what runs, and more |\n| `a`, `b` | other names |\n\n"
        "| name | meaning |\n|---|---|\n"
        "| `netfit_hosts` | pattern (default: all \\| none) |\n"
        "| `netfit_a`, `netfit_b` | as for `netfit.cluster.audit` |\n\n"
        "Of a host: `netfit_zone`, its zone.\n"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_every_variable_of_a_playbooks_comment_is_on_its_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"netfit_\w+", "\n".join(docs_reference.leading_comment(text))))
    assert named
    assert named == set(re.findall(r"`(netfit_\w+)`", docs_reference.playbook_page(path.stem, text)))


def test_what_has_no_page_is_told(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "link_mtu_module.html").touch()
    missing = docs_reference.missing_pages(ROOT, tmp_path)
    assert missing["module mtu_facts"] == "reference/mtu_facts_module.html"
    assert {"role rancher_mtu", "filter mtu_plan", "playbook audit", "docs/rules.md"} <= set(missing)
    assert "module link_mtu" not in missing


def test_the_picture_is_current_small_and_stands_by_itself() -> None:
    text = docs_picture.PICTURE.read_text(encoding="utf-8")
    made = docs_picture.picture(render_page(json.loads(docs_picture.REPORT.read_text(encoding="utf-8"))))
    assert text == made, "run .venv/bin/python tools/docs_picture.py"
    assert len(text.encode()) < MOST_BYTES
    words = " ".join(ElementTree.fromstring(text).itertext())
    assert "3 of 4" in words and "1500-byte packet dies here" in words
    assert "prefers-color-scheme:dark" in text
    assert re.findall(r"(?:href|src|url\(|@import)\S*", text) == []
    used = set(re.findall(r"var\((--[\w-]+)\)", text))
    assert used and all(text.count(f"{name}:") == 2 for name in used), "each colour in light and in dark"
