# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of those that configure links: who is told, when something is put back, and what becomes of several plans."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change import link_config_resource
from ansible_collections.netfit.cluster.plugins.module_utils._change.link_config_resource import (
    COMMANDS,
    LinkConfigResource,
    link_config_changes,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._model.file_change import FileChange, FileText
from ansible_collections.netfit.cluster.plugins.module_utils._model.link_owner import (
    LinkConfigPlan,
    LinkManager,
    LinkOwner,
    Reload,
)

PATH = "/etc/netplan/90-netfit-mtu.yaml"
GENERATED = "/run/NetworkManager/system-connections/netplan-eth0.nmconnection"
RESOURCE = LinkConfigResource()
Told = List[Tuple[str, ...]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The commands that were run, none of them for real."""
    commands: Told = []

    def run(*command: str, seconds: float) -> str:
        assert 0 < seconds <= 60
        commands.append(command)
        return ""

    monkeypatch.setattr(link_config_resource, "output_of", run)
    return commands


def refuse(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def run(*command: str, seconds: float) -> str:
        raise OSError(message)

    monkeypatch.setattr(link_config_resource, "output_of", run)


def plan(link: str, before: Any, after: str, reload: Reload = Reload.NETPLAN_NETWORK_MANAGER) -> LinkConfigPlan:
    owner = LinkOwner(link, LinkManager.NETPLAN, "", (), None, link, LinkManager.NETWORK_MANAGER, GENERATED)
    text = FileText(before, 0o600) if before is not None else None
    return LinkConfigPlan(owner, 1400, None, (FileChange(PATH, text, FileText(after, 0o600)),), reload=reload)


def value(text: str) -> Dict[str, Any]:
    return {"text": text, "mode": 0o600}


def test_it_is_one_of_the_kinds_that_can_be_undone() -> None:
    assert isinstance(RESOURCES["link_config"], LinkConfigResource)


def test_writing_and_taking_back_both_tell_the_manager(tmp_path: Path, told: Told) -> None:
    (change,) = link_config_changes([plan("eth0", None, "new")], str(tmp_path))
    file = tmp_path / PATH.lstrip("/")
    RESOURCE.write(change.target, change.after)
    assert file.read_text() == "new" and file.stat().st_mode & 0o777 == 0o600
    RESOURCE.write(change.target, change.before)
    assert not file.exists() and not file.parent.exists()
    once = [("netplan", "generate"), ("nmcli", "--wait", "20", "connection", "load", f"{tmp_path}{GENERATED}")]
    assert told == once + once


@pytest.mark.parametrize("reload", Reload)
def test_no_reload_takes_a_link_down(reload: Reload) -> None:
    words = {word for command in COMMANDS[reload] for word in command}
    assert not words & {"networkctl", "reapply", "up", "down", "apply", "restart", "ifreload"}


def test_what_the_manager_refuses_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / PATH.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_text("old")
    file.chmod(0o600)
    (change,) = link_config_changes([plan("eth0", "old", "new")], str(tmp_path))
    refuse(monkeypatch, "netplan: line 3: error")
    with pytest.raises(ChangeError, match=r"netplan generate: netplan: line 3: error; .* is as it was"):
        RESOURCE.write(change.target, change.after)
    assert file.read_text() == "old"


@pytest.mark.parametrize(
    "message", ["nmcli: Error: NetworkManager is not running.", "[Errno 2] No such file or directory: 'netplan'"]
)
def test_a_manager_that_is_not_there_reads_it_when_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    (change,) = link_config_changes([plan("eth0", None, "new")], str(tmp_path))
    refuse(monkeypatch, message)
    RESOURCE.write(change.target, change.after)
    assert RESOURCE.read(change.target) == value("new")


def test_plans_for_one_file_become_one_change(tmp_path: Path) -> None:
    (change,) = link_config_changes([plan("eth0", None, "one"), plan("eth1", "one", "two")], str(tmp_path))
    assert (change.before, change.after) == (None, value("two"))
    assert change.target["link"] == "eth0, eth1" and "netplan" in RESOURCE.describe(change.target)


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / PATH.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_text("other")
    with pytest.raises(ChangeError, match="changed by somebody else meanwhile"):
        link_config_changes([plan("eth0", "old", "new")], str(tmp_path))


def test_a_blocked_plan_changes_nothing(tmp_path: Path) -> None:
    blocked = LinkConfigPlan(plan("eth0", None, "x").owner, 1400, blocked="because")
    assert link_config_changes([blocked], str(tmp_path)) == []
    assert blocked.as_result()["reason"] == "because" and not blocked.as_result()["persisted"]
