# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fresh reader takes out of the README, and what it does not put up with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from docs_picture import ROOT

sys.path.insert(0, str(ROOT / "tests" / "fresh_reader"))
import follow_readme

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_a_route() -> None:
    route = follow_readme.read_route(README)
    assert route.here.splitlines()[0].startswith("git clone https://")
    assert route.here.splitlines()[-1] == "make audit"
    assert route.there.strip() == f"make audit INVENTORY={route.inventory_file}"
    assert "ansible_host=192.0.2.11" in route.inventory
    assert route.page == "netfit-report/report.html"


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        (f"## {follow_readme.HEADING}", "## Start", "has no section"),
        ("```ini", "```", "has to have three blocks"),
        ("make audit INVENTORY=hosts.ini\n```", "make audit\n```", "names no page to open, or its last block"),
        ("`netfit-report/report.html`", "the report", "names no page to open"),
    ],
)
def test_a_readme_without_a_route_is_told(written: str, instead: str, problem: str) -> None:
    assert written in README
    with pytest.raises(follow_readme.Astray, match=problem):
        follow_readme.read_route(README.replace(written, instead, 1))


def test_a_newcomer_has_nothing_of_ours_and_an_address_that_leads_to_the_checkout(tmp_path: Path) -> None:
    ours = {
        "PATH": "/checkout/.venv-test/main/bin:/usr/bin",
        "ANSIBLE_COLLECTIONS_PATH": "/x",
        "PYTHONPATH": "/x",
        "MAKEFLAGS": "-s",
        "INVENTORY": "x,",
        "PIP_CERT": "/certificates",
    }
    variables = follow_readme.newcomer(ours, tmp_path, "https://netfit.example/cluster", Path("/published"))
    assert variables == {
        "PATH": "/usr/bin",
        "PIP_CERT": "/certificates",
        "HOME": str(tmp_path),
        "ANSIBLE_NOCOLOR": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url./published.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://netfit.example/cluster",
    }


def report(rule: str, host: str) -> dict[str, Any]:
    return {"hosts": {"n2": {"status": "audited"}}, "findings": [{"id": rule, "target": {"host": host}}]}


@pytest.mark.parametrize(
    ("content", "shown", "problem"),
    [
        (report("MTU-001", "n2"), "<html>MTU-001 n2</html>", ""),
        (report("MTU-001", "n1"), "<html>MTU-001 n2</html>", "of which"),
        ({**report("MTU-001", "n2"), "hosts": {"n2": {"status": "unreachable"}}}, "<html>MTU-001 n2</html>", "audited"),
        (report("MTU-001", "n2"), "<html></html>", "shows nothing of"),
        (None, "", "was not written"),
    ],
)
def test_a_report_has_to_show_the_fault(
    content: Any, shown: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser's part is played by a command that prints a page."""
    if content is not None:
        (tmp_path / "report.html").touch()
        (tmp_path / "report.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(follow_readme, "CHROMIUM", ("printf", "%s ", shown))
    variables = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    if problem:
        with pytest.raises(follow_readme.Astray, match=problem):
            follow_readme.open_report(tmp_path, "report.html", variables, ("MTU-001", "n2"))
    else:
        assert follow_readme.open_report(tmp_path, "report.html", variables, ("MTU-001", "n2")) == 1


def test_a_command_that_fails_or_hangs_ends_the_route(tmp_path: Path) -> None:
    with pytest.raises(follow_readme.Astray, match="ended with 3: echo gone; exit 3\ngone"):
        follow_readme.run(["sh", "-c", "echo gone; exit 3"], {"PATH": "/usr/bin:/bin"}, tmp_path, 10)
    with pytest.raises(follow_readme.Astray, match=r"not done after 0 s: sleep 9"):
        follow_readme.run(["sh", "-c", "sleep 9"], {"PATH": "/usr/bin:/bin"}, tmp_path, 0.2)
