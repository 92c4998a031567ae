# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "make audit" passes to ansible-playbook."""

from __future__ import annotations

import os
from pathlib import Path

import audit
import pytest
from steps import StepFailed


def test_an_inventory_file_with_a_space_stays_one_argument(tmp_path: Path) -> None:
    inventory = tmp_path / "my hosts.ini"
    inventory.touch()
    settings = {"INVENTORY": str(inventory), "LIMIT": "n1:n2", "ARGS": "-e 'a=b c' --check"}
    expected = ["--inventory", str(inventory), "--limit", "n1:n2", "-e", "a=b c", "--check"]
    assert audit.playbook_arguments(settings) == expected


def test_a_list_of_hosts_needs_no_file() -> None:
    assert audit.playbook_arguments({"INVENTORY": "n1,"}) == ["--inventory", "n1,"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"INVENTORY": "no/such.ini"}, "INVENTORY=no/such.ini: no such file"),
        ({"INVENTORY": "a,", "ARGS": "-e 'x"}, "ARGS=-e 'x: No closing quotation"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(settings: dict, reason: str) -> None:
    with pytest.raises(StepFailed, match=reason):
        audit.playbook_arguments(settings)


@pytest.mark.parametrize(("user", "sudo", "become"), [(0, None, False), (1000, "false", False), (1000, "true", True)])
def test_root_is_taken_where_it_costs_no_password(
    user: int, sudo: str | None, become: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if sudo:
        (tmp_path / "sudo").symlink_to(f"/bin/{sudo}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    arguments = audit.playbook_arguments({})
    assert arguments[:4] == ["--inventory", "localhost,", "--connection", "local"]
    assert arguments[-1] == f"netfit_become={str(become).lower()}"
