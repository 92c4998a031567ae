# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module change_guard: what is measured before a guard is confirmed is measured after the last change."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change.guard import (
    Paths,
    Pending,
    boot_time,
    keep_pending,
    read_last,
    read_pending,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import HostLock
from ansible_collections.netfit.cluster.plugins.modules import change_guard

ROUTER = "192.0.2.1"
CONFIRM: Dict[str, Any] = {"guard": "abc"}


class Network:
    """The path to the router, which a change may break."""

    def __init__(self) -> None:
        self.verdict = "ok"

    def reach(self, addresses: Sequence[str]) -> List[Dict[str, Any]]:
        return [{"address": one, "verdict": self.verdict, "carries": 1500} for one in addresses]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Of a guard that is armed and has a minute."""
    found = Paths(str(tmp_path / "guard/pending.json"), str(tmp_path / "rolled_back.json"), str(tmp_path / "journal"))
    monkeypatch.setattr(change_guard, "PATHS", found)
    monkeypatch.setattr(change_guard, "HostLock", partial(HostLock, str(tmp_path / "lock")))
    before = ({"address": ROUTER, "verdict": "ok", "carries": 1500},)
    keep_pending(Pending("abc", "one", 0, 60.0, time.time() + 60, boot_time() + 60, before), found)
    return found


def test_a_change_that_is_made_meanwhile_is_not_confirmed_unseen(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a host so slow that the change is only being made when somebody tries to confirm it."""
    network, begun = Network(), threading.Event()
    monkeypatch.setattr(change_guard, "reach", network.reach)

    def change() -> None:
        lock = HostLock(str(tmp_path / "lock"))
        begun.set()
        time.sleep(0.3)
        network.verdict = "black hole"
        lock.release()

    slow = threading.Thread(target=change)
    slow.start()
    begun.wait()
    with pytest.raises(ChangeError, match="not confirmed: a change is being made on this host"):
        change_guard.confirm_guard(CONFIRM, False)
    slow.join()
    with pytest.raises(change_guard.Worse, match=f"to {ROUTER} vanish without a word now"):
        change_guard.confirm_guard(CONFIRM, False)
    assert read_pending(paths) is not None


def test_no_change_can_come_between_the_measuring_and_the_confirming(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network()

    def reach(addresses: Sequence[str]) -> List[Dict[str, Any]]:
        with pytest.raises(ChangeError, match="another run changes this host"):
            HostLock(str(tmp_path / "lock"), 0.0)
        return network.reach(addresses)

    monkeypatch.setattr(change_guard, "reach", reach)
    done = change_guard.confirm_guard(CONFIRM, False)
    assert (done["outcome"], done["reached"]) == ("confirmed", network.reach([ROUTER]))


def test_a_time_that_ends_while_it_is_measured_is_over(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()

    def reach(addresses: Sequence[str]) -> List[Dict[str, Any]]:
        pending = read_pending(paths)
        assert pending is not None
        keep_pending(Pending(**{**vars(pending), "until": boot_time() - 0.1}), paths)
        return network.reach(addresses)

    monkeypatch.setattr(change_guard, "reach", reach)
    with pytest.raises(ChangeError, match=r"were rolled back at .*: it was not confirmed within 60 seconds"):
        change_guard.confirm_guard(CONFIRM, False)
    last = read_last(paths)
    assert last is not None and last.state == "rolled back" and read_pending(paths) is None
