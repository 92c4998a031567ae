# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What slices tell each other: bounded waits, one token, nothing believed that is old, nothing left behind."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import List

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._slices.exchange import (
    ANSWERING,
    LONGEST_LIFE,
    MEASURED,
    Clock,
    Exchange,
    SliceError,
)


class Script:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waits: List[float] = []

    def clock(self) -> Clock:
        return Clock(lambda: time.time() + self.passed, lambda: self.passed, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds


def test_slices_learn_of_each_other(tmp_path: Path) -> None:
    one, other = Exchange(tmp_path, "one"), Exchange(tmp_path, "other")
    one.tell({"n1": {"zone": "west"}})
    other.tell({"n2": {"zone": "east"}})
    assert [(who.name, who.hosts) for who in one.others()] == [("other", {"n2": {"zone": "east"}})]
    assert one.wait_for_hosts({"n2"}, 5) == set()


def test_waiting_ends_in_time(tmp_path: Path) -> None:
    script = Script()
    one = Exchange(tmp_path, "one", clock=script.clock())
    one.tell({"n1": {}})
    assert one.wait_for_hosts({"n2", "n3"}, 10) == {"n2", "n3"}
    assert 10 <= script.passed < 10.1 and max(script.waits) <= 1
    Exchange(tmp_path, "other").tell({"n2": {}})
    assert one.wait_for_hosts({"n2", "n3"}, 0) == {"n3"}
    assert one.wait_for_mark(ANSWERING, 2) == {"other"}


def test_a_slice_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    one, other = Exchange(tmp_path, "one"), Exchange(tmp_path, "other")
    one.tell({"n1": {}})
    other.tell({"n2": {}})
    assert one.wait_for_mark(MEASURED, 0) == {"other"}
    other.leave()
    assert one.wait_for_mark(MEASURED, 0) == set()


def test_a_mark_that_comes_later_is_seen(tmp_path: Path) -> None:
    one, other = Exchange(tmp_path, "one"), Exchange(tmp_path, "other")
    one.tell({"n1": {}})
    other.tell({"n2": {}})
    later = threading.Timer(0.5, other.mark, [ANSWERING])
    later.start()
    try:
        assert one.wait_for_mark(ANSWERING, 20) == set()
    finally:
        later.join()


def test_all_slices_share_one_token_that_nobody_else_can_read(tmp_path: Path) -> None:
    paths = [Exchange(tmp_path, name) for name in ("one", "other", "third")]
    for exchange in paths:
        exchange.tell({})
    tokens = {exchange.share_token().read_text(encoding="utf-8") for exchange in paths}
    (token,) = tokens
    assert len(token) == 64 and int(token, 16)
    assert stat.S_IMODE(os.stat(paths[0].token_file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(paths[0].token_file.parent).st_mode) == 0o700
    for exchange in paths[:2]:
        exchange.leave()
    assert paths[2].token_file.exists()
    paths[2].leave()
    assert [path.name for path in paths[2].token_file.parent.iterdir()] == ["lock"]


def test_what_is_old_is_not_believed(tmp_path: Path) -> None:
    script = Script()
    Exchange(tmp_path, "dead").tell({"n2": {}})
    first = Exchange(tmp_path, "dead").share_token().read_text(encoding="utf-8")
    script.passed = LONGEST_LIFE + 60
    one = Exchange(tmp_path, "one", clock=script.clock())
    one.tell({"n1": {}})
    assert one.others() == []
    assert one.share_token().read_text(encoding="utf-8") != first


def test_other_runs_and_own_earlier_marks_do_not_count(tmp_path: Path) -> None:
    Exchange(tmp_path, "other", "1").tell({"n2": {}})
    one = Exchange(tmp_path, "one", "2")
    one.tell({"n1": {}})
    assert one.others() == []
    other = Exchange(tmp_path, "other", "2")
    other.tell({"n2": {}})
    other.mark(ANSWERING)
    assert one.wait_for_mark(ANSWERING, 0) == set()
    other.tell({"n2": {}})
    assert one.wait_for_mark(ANSWERING, 0) == {"other"}


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a" * 65, "ä"])
def test_names_that_are_no_file_s_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SliceError, match="netfit_slice is"):
        Exchange(tmp_path, name)


def test_a_file_that_is_broken_is_named(tmp_path: Path) -> None:
    one = Exchange(tmp_path, "one")
    one.tell({})
    broken = one.token_file.with_name("other.hosts")
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(SliceError, match=r"other\.hosts could not be read"):
        one.others()
