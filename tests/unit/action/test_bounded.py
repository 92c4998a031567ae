# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that are ended when they take too long, with everything that they have started."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._guard.bounded import bounded


def test_an_answer_comes_back() -> None:
    assert bounded(5, lambda: {"pid": os.getpid()}) != {"pid": os.getpid()}
    assert bounded(5, lambda: {"many": "x" * 200000}) == {"many": "x" * 200000}


def test_an_exception_is_an_answer() -> None:
    def fail() -> Dict[str, Any]:
        raise ValueError("why")

    answer = bounded(5, fail)
    assert answer is not None and (answer["failed"], answer["msg"]) == (True, "why")


def test_a_process_that_ends_without_a_word_gives_none() -> None:
    began = time.monotonic()
    assert bounded(5, lambda: os._exit(3)) is None
    assert time.monotonic() - began < 4


def test_what_takes_too_long_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    told = tmp_path / "pids"

    def hang() -> Dict[str, Any]:
        child = subprocess.Popen(["sleep", "60"])
        told.write_text(f"{os.getpid()} {child.pid}")
        child.wait()
        return {}

    began = time.monotonic()
    assert bounded(1.5, hang) is None
    assert time.monotonic() - began < 6
    for pid in told.read_text().split():
        for _moment in range(50):
            if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"process {pid} goes on")
