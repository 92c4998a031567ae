# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of network namespaces that come and go: changed, undone, and known to be gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest
from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import Change
from ansible_collections.netfit.cluster.plugins.module_utils._change.namespace_target import (
    identity,
    in_namespace,
    name_namespace,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Gone
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace

KEY = "net.core.somaxconn"


def target(lab: Lab, name: str) -> Dict[str, Any]:
    """Name the parameter of a namespace as the module does."""
    path = Path(lab.path(name))
    named = name_namespace(Namespace(path.stat().st_ino, (str(path),)))
    return {"key": KEY, "namespace": named, "owner": f"pod {name}"}


def somaxconn(lab: Lab, name: str) -> str:
    return run("ip", "netns", "exec", lab.name(name), "sysctl", "-n", KEY).strip()


@pytest.fixture
def session(tmp_path: Path) -> Any:
    """Make sessions with a journal of their own."""
    return lambda name: Session(name, "test", RESOURCES, str(tmp_path / "journal"), str(tmp_path / "lock"))


def test_one_that_ends_midway_does_not_keep_the_others_from_being_changed(session: Any, tmp_path: Path) -> None:
    with Lab() as lab:
        lab.add("a", "b", "c")
        before = somaxconn(lab, "a")
        changes = [Change("sysctl", target(lab, name), before, "1234") for name in "abc"]
        lab.delete("b")
        with session("one") as one:
            gone = one.change_all(changes, gone_is_fine=True)
        assert [change.target["owner"] for change in gone] == ["pod b"]
        assert [somaxconn(lab, name) for name in "ac"] == ["1234", "1234"]
        chosen = choose_run("one", str(tmp_path / "journal"))
        assert chosen is not None
        steps = plan_undo(chosen, RESOURCES)
        assert [(step.gone, step.conflict) for step in steps] == [(False, None), (True, None), (False, None)]
        undo(chosen, steps, RESOURCES, str(tmp_path / "journal"))
        assert [somaxconn(lab, name) for name in "ac"] == [before, before]


def test_without_that_the_first_that_is_gone_takes_back_all(session: Any) -> None:
    with Lab() as lab:
        lab.add("a", "b")
        before = somaxconn(lab, "a")
        changes = [Change("sysctl", target(lab, name), before, "1234") for name in "ab"]
        lab.delete("b")
        with pytest.raises(Gone), session("one") as one:
            one.change_all(changes)
        assert somaxconn(lab, "a") == before


def test_another_namespace_in_the_same_place_is_not_taken_for_it() -> None:
    """Names and inodes are given away again; the kernel's cookie of a namespace is not."""
    with Lab() as lab:
        lab.add("a")
        old = target(lab, "a")
        lab.delete("a")
        lab.add("a")
        new = target(lab, "a")
        assert identity(old["namespace"]) != identity(new["namespace"])
        renamed = {**old["namespace"], "inode": new["namespace"]["inode"]}
        with pytest.raises(Gone, match="is no more"):
            in_namespace(renamed, lambda: None)
        with pytest.raises(Gone, match="restarted since"):
            in_namespace({**new["namespace"], "boot": "another"}, lambda: None)
        assert in_namespace(new["namespace"], lambda: "inside") == "inside"


def test_a_key_that_only_the_host_has_is_an_error_that_says_so(session: Any) -> None:
    with Lab() as lab:
        lab.add("a")
        before = somaxconn(lab, "a")
        there = target(lab, "a")
        wrong = {**there, "key": "net.core.netdev_max_backlog"}
        changes = [Change("sysctl", there, before, "1234"), Change("sysctl", wrong, "1", "2")]
        said = "netdev_max_backlog of pod a cannot be set to 2: there is no such"
        with pytest.raises(ChangeError, match=said), session("one") as one:
            one.change_all(changes)
        assert somaxconn(lab, "a") == before
