# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mss_clamp with the real nft, killed at each write: the next run ends the same, and it is all undone."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Hashable, Iterator, Tuple

import pytest
from ansible.module_utils import basic
from private_host import Counter

from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import read_runs
from ansible_collections.netfit.cluster.plugins.module_utils._change.mss_clamp import ClampHost
from ansible_collections.netfit.cluster.plugins.module_utils._change.nft_table_resource import NftTableResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import Target
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.symlink_resource import SymlinkResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import plan_undo
from ansible_collections.netfit.cluster.plugins.modules import mss_clamp

CLONE_NEWNET = 0x40000000
NAMESPACE = f"nf-change-{os.getpid()}-clamp"
Seen = Tuple[Dict[str, str], str]


class State:
    """A Resource: the unit, as a file that is there while it is active; to stop it deletes the table."""

    def __init__(self, root: Path) -> None:
        self.file = root / "run/active"

    def read(self, _target: Target) -> bool:
        return self.file.exists()

    def write(self, _target: Target, value: bool) -> None:
        if value:
            self.file.touch()
            return
        self.file.unlink(missing_ok=True)
        subprocess.run(["nft", "delete", "table", "inet", "netfit_mss"], stderr=subprocess.DEVNULL, check=False)

    def settle(self, _target: Target) -> None: ...

    def identity(self, _target: Target) -> Hashable:
        return "unit"

    def describe(self, _target: Target) -> str:
        return "the unit"

    def show(self, value: bool) -> str:
        return str(value)


@pytest.fixture
def namespace() -> Iterator[None]:
    """A network namespace in which the module runs."""
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    yield
    subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)


def host(place: Path) -> ClampHost:
    root = place / "root"
    files = {"file": FileResource(), "unit_file": FileResource(), "unit_link": SymlinkResource()}
    return ClampHost(str(root), {**files, "nft_table": NftTableResource(), "unit_state": State(root)})


def in_child(function: Any) -> int:
    """Call a function in a child in the namespace. Returns its exit status, -1 where it was killed."""
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        return -1 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    try:
        with open(f"/run/netns/{NAMESPACE}", encoding="ascii") as file:
            assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) == 0
        function()
        os._exit(0)
    finally:
        os._exit(255)


def run(place: Path, kill_at: int, **arguments: Any) -> int:
    """Run the module. Returns how many writing calls it made, -1 where it was killed."""

    def work() -> None:
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        basic.AnsibleModule.exit_json = lambda _self, **_result: os._exit(counter.count)
        mss_clamp.Session = functools.partial(Session, directory=str(place / "journal"), lock=str(place / "lock"))
        mss_clamp.HOST = host(place)
        counter = Counter(kill_at)
        mss_clamp.main()

    return in_child(work)


def undo(place: Path) -> int:
    """Undo all runs as change_guard does, the last first."""

    def work() -> None:
        resources = host(place).resources
        for one in reversed(read_runs(str(place / "journal"))):
            for step in plan_undo(one, resources):
                assert step.conflict is None
                resources[step.entry.change.kind].settle(step.entry.change.target)
                if not step.done:
                    resources[step.entry.change.kind].write(step.entry.change.target, step.value)

    return in_child(work)


def new(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    for directory in ("run/systemd/system", "etc/systemd/system/sysinit.target.wants"):
        (place / "root" / directory).mkdir(parents=True)
    return place


def seen(place: Path) -> Seen:
    """Files and links, with their text or where they lead, and all tables."""
    root = place / "root"
    paths = [path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file()]
    texts = {
        str(path.relative_to(root)): str(os.readlink(path)) if path.is_symlink() else path.read_text() for path in paths
    }
    shown = subprocess.run(
        ["ip", "netns", "exec", NAMESPACE, "nft", "-s", "list", "ruleset"], capture_output=True, text=True, check=True
    )
    return texts, shown.stdout


def finished(place: Path) -> Seen:
    """The same without what a killed run has not finished, which the next write or undoing replaces."""
    files, tables = seen(place)
    return {path: text for path, text in files.items() if not path.endswith(".netfit")}, tables


def test_killed_at_each_write(tmp_path: Path, namespace: None) -> None:
    place = new(tmp_path / "host")
    before = seen(place)
    assert before == ({}, "")
    calls = run(place, 0, run="whole")
    after = seen(place)
    assert 20 < calls < 250 and len(after[0]) == 5 and "maxseg" in after[1]
    assert undo(place) == 0 and seen(place) == before
    for kill_at in range(1, calls + 1):
        new(place)
        assert run(place, kill_at, run="killed") == -1
        assert run(place, 0, run="next") < 255
        assert seen(place) == after, kill_at
        assert undo(place) == 0, kill_at
        assert seen(place) == before, kill_at


def test_killed_on_the_way_to_another_scope_the_table_is_whole(tmp_path: Path, namespace: None) -> None:
    place = new(tmp_path / "host")
    run(place, 0, run="first", ports=["80"])
    first = seen(place)
    calls = run(place, 0, run="second")
    second = seen(place)
    for kill_at in range(1, calls + 1):
        assert run(place, 0, run=f"back{kill_at}", ports=["80"]) < 255 and finished(place) == first
        assert run(place, kill_at, run=f"killed{kill_at}") == -1
        # What decides is the table: it is the old one or the new one, never half of it.
        assert seen(place)[1] in (first[1], second[1])
    assert undo(place) == 0
    assert seen(place) == ({}, "")
